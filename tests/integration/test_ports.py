"""Every port that `mlmini up` opens, and whom it asks, once there are accounts."""

import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import grpc
import httpx2
import psutil
import pytest

from cli.launcher.valkey import URL_FILE
from tests.support.accounts import PASSWORD
from tests.support.documented import ROOT
from tests.support.launcher import Launcher, launched
from tests.support.rpc import SERVICE
from tests.support.server import free_ports
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

NEIGHBOURS = {"module": "neighbors", "class": "KNeighborsClassifier"}
# A flag of a socket, as the kernel has it.
_TAKES_CONNECTIONS = 0x10000
# What docs/security.md lists beside these is opened by other commands.
ELSEWHERE = {"`mlmini serve`", "gateway, in containers", "database, Redis and store, in containers"}


class Platform(NamedTuple):
    """A platform with an admin, whose processes of all kinds are there."""

    launcher: Launcher
    client: httpx2.Client
    grpc_port: int

    @property
    def ports(self) -> dict[str, int]:
        """The ports by the names of the page."""
        url = (self.launcher.home / URL_FILE).read_text()
        return {
            "API": int(self.launcher.url("Readiness").split(":")[2].partition("/")[0]),
            "gRPC": self.grpc_port,
            "Flower": int(self.launcher.url("Flower").rpartition(":")[2]),
            "Valkey": int(url.rpartition(":")[2].partition("/")[0]),
        }


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("ports")
    password = folder / "password"
    password.write_text(PASSWORD)
    (grpc_port,) = free_ports(1)
    variables = {f"MLMINI_{name}_PASSWORD_FILE": str(password) for name in ("ADMIN", "FLOWER")}
    variables["MLMINI_GRPC_PORT"] = str(grpc_port)
    with launched(folder / "home", variables) as launcher, launcher.client() as client:
        given = client.post("/auth/token", data={"username": "admin", "password": PASSWORD}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
        use(client)
        yield Platform(launcher, client, grpc_port)


def use(client: httpx2.Client) -> None:
    """Have a job computed and a model predict that has no compiled form: what they take stays there."""
    asked = {"dataset_name": "iris", "use_example": True, "model": NEIGHBOURS}
    job = client.post("/train", json=asked).raise_for_status().json()["job_id"]
    eventually(lambda: client.get(f"/jobs/{job}").json()["status"] == "succeeded", timeout=90)
    rows = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}
    client.post("/predict", json=rows).raise_for_status()


def family(platform: Platform) -> list[psutil.Process]:
    return [psutil.Process(platform.launcher.process.pid), *platform.launcher.family()]


def test_it_listens_on_the_ports_of_the_page_and_on_loopback_only(platform: Platform) -> None:
    found = {
        # gRPC writes an address of IPv4 as IPv6 does.
        (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for process in family(platform)
        for connection in process.net_connections("inet")
        # Of UDP, every socket takes what comes.
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    assert found == {("127.0.0.1", port) for port in platform.ports.values()}
    page = (ROOT / "docs" / "security.md").read_text()
    (section,) = re.findall(r"^### Ports\n(.*?)^### ", page, re.MULTILINE | re.DOTALL)
    told = set(re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE))
    assert told - {"Port"} == platform.ports.keys() | ELSEWHERE


def sockets_of(process: psutil.Process) -> Iterator[str]:
    """The numbers that the kernel gives the sockets of a process. It may close some meanwhile, or end."""
    with suppress(FileNotFoundError):
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                yield link.readlink().name.removeprefix("socket:[").removesuffix("]")


def taking_connections(processes: list[psutil.Process]) -> list[list[str]]:
    """The sockets without a port at which processes listen, as the kernel lists them."""
    numbers = {number for process in processes for number in sockets_of(process)}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [line[7:] for line in lines if line[6] in numbers and int(line[3], 16) & _TAKES_CONNECTIONS]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing else lists them")
def test_no_process_listens_at_a_place_of_the_file_system_or_beside_it(platform: Platform, tmp_path: Path) -> None:
    assert taking_connections(family(platform)) == []
    with socket.socket(socket.AF_UNIX) as found:
        found.bind(str(tmp_path / "socket"))
        found.listen()
        assert [str(tmp_path / "socket")] in taking_connections([psutil.Process()])


def api(port: int) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        for method, path in (("GET", "/metrics"), ("GET", "/jobs"), ("POST", "/predict"), ("POST", "/train")):
            assert client.request(method, path).status_code == 401
        assert client.get("/healthz").status_code == 200


def calls(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for name in ("ServerMetadata", "RepositoryIndex", "ModelInfer"):
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(SERVICE + name)(b"", timeout=60)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert channel.unary_unary(f"{SERVICE}ServerLive")(b"", timeout=60)


def flower(port: int) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        for path in ("/", "/tasks", "/metrics", "/api/workers"):
            assert client.get(path).status_code == 401
        assert client.get("/healthcheck").status_code == 200


def valkey(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stranger:
        for words in (b"PING", b"KEYS *", b"SUBSCRIBE x"):
            stranger.sendall(words + b"\r\n")
            assert stranger.recv(1000).startswith(b"-NOAUTH")


ASKED: dict[str, Callable[[int], None]] = {"API": api, "gRPC": calls, "Flower": flower, "Valkey": valkey}


@pytest.mark.asvs("13.4.5")
def test_every_port_refuses_whoever_brings_nothing(platform: Platform) -> None:
    assert ASKED.keys() == platform.ports.keys()
    for name, port in platform.ports.items():
        ASKED[name](port)
