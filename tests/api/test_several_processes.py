"""Several API processes on one address: real ones, of which some are killed."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from shared.database import Database
from shared.listening import listen
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.accounts import add_user
from tests.support.alive import alive
from tests.support.api_server import ApiServer
from tests.support.jobs import add_job
from tests.support.launcher import all_gone
from tests.support.models import Platform, iris_forest, open_platform
from tests.support.processes import finish
from tests.support.rpc import SERVICE
from tests.support.server import free_ports, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

ROWS = [[5.1, 3.5, 1.4, 0.2]]
REQUESTS = "mlmini_http_requests_total"


@dataclass
class Crowd:
    """The processes of one address."""

    server: ApiServer
    grpc_port: int

    def log(self, event: str) -> list[dict[str, Any]]:
        """What was logged of that name."""
        lines = (self.server.folder / "log").read_text().splitlines()
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]

    @property
    def pids(self) -> list[int]:
        """The processes that live; the one that they are forked from is not among them."""
        return [pid for pid in (entry["pid"] for entry in self.log("api_process_started")) if alive(pid)]

    def all_up(self) -> "Crowd":
        """Return when every process takes requests."""
        eventually(lambda: len(self.pids) == 2 and self.readiness()["processes"] == {"up": 2, "wanted": 2})
        return self

    def readiness(self) -> dict[str, Any]:
        """What some process says of all."""
        with closing(self.connection()) as connection:
            found: dict[str, Any] = ask(connection, "GET", "/readyz")
            return found

    def connection(self, pid: int | None = None) -> HTTPConnection:
        """A connection that is served by a process, or by any."""
        while True:
            connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            ask(connection, "GET", "/healthz")
            if pid is None or connection.sock.getsockname()[1] in ports_of(pid):
                return connection
            connection.close()

    def count(self, pid: int | None, series: str) -> float:
        """A number of the metrics, as a process tells it, or any; 0 if it is not told."""
        with closing(self.connection(pid)) as connection:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(series))


def ports_of(pid: int) -> set[int]:
    """The ports of the clients that a process serves."""
    return {each.raddr.port for each in psutil.Process(pid).net_connections() if each.raddr}


def ask(connection: HTTPConnection, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The document that is answered."""
    connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return json.loads(content)


def version_at(connection: HTTPConnection, environment: str = "dev") -> int:
    """The version that answers there."""
    body = {"dataset_name": "iris", "environment": environment, "input_data": {"features": ROWS}}
    version: int = ask(connection, "POST", "/predict", body)["version"]
    return version


@pytest.fixture
def platform(api_settings: Settings, server_database: Database, tmp_path: Path) -> Iterator[Platform]:
    """Two versions of a forest of iris, in dev."""
    with closing(open_store(api_settings)) as store:
        store.prepare()
        platform = open_platform(server_database, store, api_settings, tmp_path)
        data = platform.dataset()
        for seed in range(2):
            platform.train(data, iris_forest(seed=seed).in_form())
        yield platform


@pytest.fixture
def crowd(api_settings: Settings, platform: Platform, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """Two processes that take requests; the one that they are forked from starts as the parameter `forked` says."""
    (grpc_port,) = free_ports(1)
    settings = api_settings.model_copy(update={"examples": False, "api_workers": 2, "grpc_port": grpc_port})
    server = ApiServer(settings, forked=getattr(request, "param", True))
    with running(server):
        yield Crowd(server, grpc_port).all_up()


def test_each_process_answers_and_tells_what_all_have_counted(crowd: Crowd, server_database: Database) -> None:
    command_line = psutil.Process(crowd.server.pid).cmdline()
    assert all(psutil.Process(pid).cmdline() == command_line for pid in crowd.pids)
    for pid in crowd.pids:
        with closing(crowd.connection(pid)) as connection:
            for _ in range(10):
                ask(connection, "GET", "/version")
    series = f'{REQUESTS}{{method="GET",route="/version",status="200"}}'
    seconds = 'mlmini_http_request_seconds_bucket{le="+Inf",method="GET",route="/version"}'
    for pid in crowd.pids:
        assert (crowd.count(pid, series), crowd.count(pid, seconds)) == (20, 20)
        assert crowd.count(pid, "mlmini_api_processes ") == 2
    one, other = crowd.pids
    with closing(crowd.connection(one)) as waiting:
        waiting.request("GET", f"/jobs/{add_job(server_database)}?wait=60")
        eventually(lambda: crowd.count(other, "mlmini_jobs_awaited ") == 1)


def test_all_serve_grpc_at_one_port_that_nobody_else_can_have(crowd: Crowd) -> None:
    for pid in crowd.pids:
        listening = [each for each in psutil.Process(pid).net_connections() if each.status == psutil.CONN_LISTEN]
        assert {each.laddr.port for each in listening} == {crowd.server.port, crowd.grpc_port}
    for _ in range(10):
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{crowd.grpc_port}", options=options) as channel:
            channel.unary_unary(f"{SERVICE}ServerLive")(b"", timeout=60)
    for port in (crowd.server.port, crowd.grpc_port):
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", port)


def test_a_port_of_grpc_that_is_taken_stops_the_start(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ApiServer(settings.model_copy(update={"api_workers": 2, "grpc_port": port}))
        with pytest.raises(AssertionError, match=f"MLMINI_GRPC_PORT: port {port} on 127.0.0.1 cannot be used"):
            server.start()
        server.remove()


def test_a_promotion_is_seen_by_every_process(crowd: Crowd, platform: Platform) -> None:
    connections = [crowd.connection(pid) for pid in crowd.pids]
    platform.promote(1, "staging")
    assert [version_at(connection, "staging") for connection in connections] == [1, 1]
    platform.promote(2, "staging")
    for connection in connections:
        eventually(lambda: version_at(connection, "staging") == 2)  # noqa: B023 - it is called at once
        connection.close()


def test_who_is_told_of_a_change_by_one_process_is_served_by_it_at_the_other(crowd: Crowd, platform: Platform) -> None:
    one, other = (crowd.connection(pid) for pid in crowd.pids)
    for version in (1, 2):
        platform.promote(version, "staging")
    eventually(lambda: [version_at(one, "staging"), version_at(other, "staging")] == [2, 2])
    ask(one, "POST", "/models/2/retire", {"stage": "staging"})
    assert version_at(other, "staging") == 1
    ask(other, "POST", "/models/1/retire", {"stage": "staging"})
    with pytest.raises(AssertionError, match="no_active_model"):
        version_at(one, "staging")
    one.close()
    other.close()


def test_a_dataset_that_is_given_to_a_team_at_one_process_is_hidden_by_the_other_before_that_is_answered(
    crowd: Crowd, platform: Platform
) -> None:
    for name, role in (("otto", Role.ADMIN), ("vera", Role.VIEWER)):
        add_user(platform.database, name, role)
    with platform.database.write() as session:
        admin, viewer = (
            create_key(session, find_user(session, name), name="for a test", scopes=[scope])[1]
            for name, scope in (("otto", Scope.ADMIN), ("vera", Scope.PREDICT))
        )
    one, other = (crowd.connection(pid) for pid in crowd.pids)

    def told(connection: HTTPConnection, key: str, method: str, path: str, body: dict[str, Any]) -> int:
        headers = {"content-type": "application/json", "x-api-key": key}
        connection.request(method, path, json.dumps(body), headers)
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    rows = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    for team, status in (("red", 404), (None, 200)) * 5:
        assert told(one, admin, "PATCH", "/datasets/iris", {"team": team}) == 200
        assert told(other, viewer, "POST", "/predict", rows) == status
        one, other = other, one
    one.close()
    other.close()


def test_one_that_is_killed_loses_its_own_requests_and_nothing_else(crowd: Crowd) -> None:
    killed, _ = crowd.pids
    done, stop = threading.Barrier(9), threading.Event()

    def send() -> tuple[int, int]:
        answered = broken = 0
        connection = crowd.connection()
        done.wait()
        while not stop.is_set():
            try:
                answered += version_at(connection) == 2
            except (OSError, HTTPException):
                broken += 1
                connection.close()
                # An address that refused would raise here.
                connection = crowd.connection()
        connection.close()
        return answered, broken

    with ThreadPoolExecutor(max_workers=8) as pool:
        senders = [pool.submit(send) for _ in range(8)]
        done.wait()
        counts = [crowd.count(None, REQUESTS)]
        psutil.Process(killed).kill()
        while len(counts) < 20 or crowd.readiness()["processes"]["up"] < 2:
            counts.append(crowd.count(None, REQUESTS))
        stop.set()
        answered, broken = (sum(found) for found in zip(*(sender.result() for sender in senders), strict=True))
    assert counts == sorted(counts)
    assert broken <= len(senders)
    assert killed not in crowd.all_up().pids
    with closing(crowd.connection(crowd.pids[-1])) as connection:
        assert version_at(connection) == 2
    predicted = crowd.count(None, f'{REQUESTS}{{method="POST",route="/predict",status="200"}}')
    # Of what was under way, some may have been counted and not been sent.
    assert answered + 1 <= predicted <= answered + 1 + broken
    assert crowd.count(None, "mlmini_api_process_restarts_total ") == 1


def test_one_that_ends_at_once_each_time_is_waited_with_and_the_other_serves(crowd: Crowd) -> None:
    _, other = crowd.pids
    for times in range(4):
        eventually(lambda: len(crowd.pids) == 2)
        (last,) = set(crowd.pids) - {other}
        psutil.Process(last).kill()
        eventually(lambda: len(crowd.log("api_process_ended")) == times + 1)  # noqa: B023 - it is called at once
    # Nobody waits for it: its connections are dealt out to the other one.
    for _ in range(20):
        crowd.connection().close()
    assert crowd.readiness()["status"] == "degraded"
    assert [entry["next_start_seconds"] for entry in crowd.log("api_process_ended")] == [0, 0.5, 1, 2]
    crowd.all_up()


def test_none_is_left_when_the_one_that_they_are_forked_from_is_killed(crowd: Crowd) -> None:
    family = psutil.Process(crowd.server.pid).children(recursive=True)
    crowd.server.kill()
    eventually(lambda: all_gone(family))


@pytest.mark.parametrize(
    ("crowd", "number"),
    [(False, signal.SIGTERM), (True, signal.SIGINT)],
    indirect=["crowd"],
    ids=["SIGTERM, by command line", "SIGINT"],
)
def test_asked_to_stop_all_answer_those_who_wait_and_end(
    crowd: Crowd, server_database: Database, number: signal.Signals
) -> None:
    job_id = add_job(server_database)
    family = psutil.Process(crowd.server.pid).children(recursive=True)
    connections = [crowd.connection(pid) for pid in crowd.pids]
    for connection in connections:
        connection.request("GET", f"/jobs/{job_id}?wait=60")
    eventually(lambda: crowd.count(None, "mlmini_jobs_awaited ") == 2)
    process = crowd.server.process
    assert process is not None
    process.send_signal(number)
    for connection in connections:
        assert json.loads(connection.getresponse().read())["status"] == "queued"
        connection.close()
    assert process.wait(timeout=60) == 0
    eventually(lambda: all_gone(family))
    assert "Traceback" not in (crowd.server.folder / "log").read_text()


def test_a_start_that_is_refused_is_told_once(settings: Settings) -> None:
    settings.home.mkdir()
    server = ApiServer(settings.model_copy(update={"api_workers": 2}))
    answer = finish(["api.server"], env=server.environment(), cwd=server.folder)
    server.folder.rmdir()
    assert answer.returncode > 0
    assert answer.stderr.count("alembic upgrade head") == 1
