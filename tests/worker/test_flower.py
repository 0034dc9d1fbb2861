"""What people see in Flower of a job, and that they can do nothing there. It runs as the platform starts it."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import yaml

from cli.launcher.services import flower_command
from shared.jobs.states import State
from tests.support.server import free_ports
from tests.support.servers import Valkey
from tests.support.site import Site
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"


def launchers(port: int, folder: Path) -> list[str]:
    return flower_command(port, folder)


def containers(port: int, folder: Path) -> list[str]:
    """The command of the compose file, with another place to listen and to write than a container has."""
    places = {"--address=0.0.0.0": "--address=127.0.0.1", "--port=5555": f"--port={port}"}
    places["--db=/app/data/state"] = f"--db={folder / 'state'}"
    python, *rest = yaml.safe_load(COMPOSE.read_text())["services"]["flower"]["command"]
    assert python == "python"
    assert places.keys() <= set(rest)
    return [sys.executable, *(places.get(argument, argument) for argument in rest)]


@contextmanager
def flower(command: list[str], *, port: int, folder: Path, **variables: str) -> Iterator[httpx2.Client]:
    """A client of a running Flower."""
    with (folder / "flower.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | variables, cwd=folder, stdout=log, stderr=log)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            eventually(lambda: page(client, "/healthcheck") == "OK" or process.poll() is not None, timeout=30)
            assert process.poll() is None, (folder / "flower.log").read_text()
            yield client
    finally:
        process.terminate()
        process.wait(timeout=10)


def page(client: httpx2.Client, path: str) -> str:
    """The page's source, or nothing while it is not there."""
    try:
        answer = client.get(path)
    except httpx2.TransportError:
        return ""
    return answer.text if answer.is_success else ""


def test_a_train_is_seen_with_its_job_id_and_its_state(installation: Site, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = launchers(port, tmp_path)
    with flower(command, port=port, folder=tmp_path, CELERY_BROKER_URL=installation.valkey.url) as client:
        installation.start_worker()
        job_id = installation.train()
        installation.until(job_id, State.SUCCEEDED)
        task = eventually(lambda: page(client, f"/task/{job_id}"), what="Flower knows the task")
        assert "train" in task
        eventually(lambda: "SUCCESS" in page(client, f"/task/{job_id}"))


@pytest.mark.parametrize("command_of", [launchers, containers])
def test_nobody_can_stop_a_worker_or_a_job_there(
    valkey: Valkey, tmp_path: Path, command_of: Callable[[int, Path], list[str]]
) -> None:
    (port,) = free_ports(1)
    # Where an environment opens the interface that Flower's pages use, too.
    opened = {"CELERY_BROKER_URL": valkey.fresh_database(), "FLOWER_UNAUTHENTICATED_API": "true"}
    with flower(command_of(port, tmp_path), port=port, folder=tmp_path, **opened) as client:
        assert client.get("/api/workers").is_success
        for path in (
            "worker/shutdown/w",
            "worker/pool/shrink/w",
            "worker/queue/cancel-consumer/w",
            f"task/revoke/{uuid4()}",
            "task/async-apply/train",
        ):
            answer = client.post(f"/api/{path}")
            assert (answer.status_code, answer.text) == (403, "Read only mode is enabled"), path


def test_flower_asks_for_the_password_of_the_file_and_tells_without_it_only_that_it_runs(
    valkey: Valkey, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    file = tmp_path / "password"
    file.write_text("sieben leise Öttern\n")
    own = {"CELERY_BROKER_URL": valkey.url, "MLMINI_FLOWER_PASSWORD_FILE": str(file)}
    with flower(launchers(port, tmp_path), port=port, folder=tmp_path, **own) as client:
        for path in ("/", "/workers", "/metrics", "/api/workers", "/static/css/flower.css", "/healthcheck/", "/none"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic"), path
        for wrong in (b":", b"anna:sieben leise", b"sieben leise \xc3\x96ttern", b"\xff:\xff"):
            header = f"Basic {b64encode(wrong).decode()}"
            assert client.get("/workers", headers={"Authorization": header}).status_code == 401
        for header in ("Basic", "Basic %", "Bearer sieben leise"):
            assert client.get("/workers", headers={"Authorization": header}).status_code == 401
        right = f"Basic {b64encode('anna:sieben leise Öttern'.encode()).decode()}"
        assert client.get("/workers", headers={"Authorization": right}).status_code == 200
    assert "leise" not in (tmp_path / "flower.log").read_text()


@pytest.mark.parametrize("content", [None, "short"])
def test_flower_does_not_start_without_the_password_that_it_is_to_ask_for(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
    variables = {"CELERY_BROKER_URL": "redis://127.0.0.1:1", "MLMINI_FLOWER_PASSWORD_FILE": str(file)}
    command = launchers(free_ports(1)[0], tmp_path)
    environment = os.environ | variables
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("MLMINI_FLOWER_PASSWORD_FILE: ")


@pytest.mark.parametrize(
    ("address", "place", "more"),
    [
        ("", "all addresses", {}),
        ("0.0.0.0", "0.0.0.0", {"MLMINI_ALLOW_OPEN": "1", "MLMINI_PUBLISHED_ON": "192.0.2.1"}),  # noqa: S104 - refused
    ],
)
def test_flower_without_a_password_stays_on_this_machine(
    tmp_path: Path, address: str, place: str, more: dict[str, str]
) -> None:
    given = f"--address={address}"
    command = [given if word.startswith("--address=") else word for word in launchers(free_ports(1)[0], tmp_path)]
    environment = os.environ | {"MLMINI_REDIS_URL": "redis://127.0.0.1:1"} | more
    # One that starts goes on.
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert f"Flower cannot start: on {place}, others could look at all jobs" in done.stderr
    assert "Let MLMINI_FLOWER_PASSWORD_FILE name a file with one" in done.stderr
