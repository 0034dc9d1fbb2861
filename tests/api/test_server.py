"""The API as a process of its own: what only a real server and real connections can show."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path

import httpx2
import psutil
import pytest

from api.process import NotHere
from api.server import main
from shared.database import Database
from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.jobs import add_job
from tests.support.processes import ROOT, finish
from tests.support.site import environment_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


def test_it_tells_little_about_itself(server: ApiServer) -> None:
    answer = httpx2.get(f"{server.url}/healthz", timeout=60)
    assert answer.status_code == 200
    assert "server" not in answer.headers


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux shows what a process has loaded")
def test_what_the_first_prediction_needs_is_ready_once_it_serves(server: ApiServer) -> None:
    process = psutil.Process(server.pid)
    eventually(lambda: "/llvmlite/" in maps_of(process), timeout=60)
    # The fork server of predicting processes, and its guard.
    eventually(lambda: any("/sklearn/" in maps_of(child) for child in process.children(recursive=True)), timeout=60)


def test_what_trainings_need_is_not_found_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [NotHere(), *sys.meta_path])
    for name in ("pandas", "sklearn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        with pytest.raises(ModuleNotFoundError, match=f"does without {name}"):
            import_module(name)
    with pytest.raises(ModuleNotFoundError, match="No module named"):
        import_module("this_is_no_module")


def maps_of(process: psutil.Process) -> str:
    """What a process has loaded; nothing of one that has ended."""
    try:
        return Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return ""


def test_a_refused_body_of_many_megabytes_gets_its_answer(server: ApiServer) -> None:
    body = b'{"a": "' + b"x" * 10_000_000 + b'"}'
    for path, status in [("/predict", 413), ("/nothing", 404), ("/train", 413)]:
        answer = httpx2.post(server.url + path, content=body, headers={"content-type": "application/json"}, timeout=60)
        assert answer.status_code in {status, 413}
        chunked = httpx2.post(
            server.url + path,
            content=(body[start : start + 65536] for start in range(0, len(body), 65536)),
            headers={"content-type": "application/json"},
            timeout=60,
        )
        assert chunked.status_code == status
    assert httpx2.get(f"{server.url}/healthz", timeout=60).status_code == 200


def test_a_client_that_goes_away_frees_its_wait(server: ApiServer, server_database: Database) -> None:
    job_id = add_job(server_database)
    process = psutil.Process(server.pid)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"GET /jobs/{job_id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        eventually(lambda: _waits(server) == 1)
    eventually(lambda: _waits(server) == 0)
    assert process.is_running()


def test_asked_to_stop_it_answers_those_who_wait_and_ends_soon(server: ApiServer, server_database: Database) -> None:
    job_id = add_job(server_database)
    process = server.process
    assert process is not None
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(httpx2.get, f"{server.url}/jobs/{job_id}?wait=60", timeout=70)
        eventually(lambda: _waits(server) == 1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        answer = waiting.result()
        assert (answer.status_code, answer.json()["status"]) == (200, "queued")
        process.wait(timeout=10)
    assert time.monotonic() - began < 8
    log = (server.folder / "log").read_text()
    assert "Traceback" not in log
    assert json.loads(log.splitlines()[-1])["event"]


def test_it_serves_on_a_socket_that_it_inherits(api_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "api.server", "--fd", str(listener.fileno())],
            env=os.environ | environment_of(api_settings) | {"MLMINI_PORT": str(port)},
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
    try:
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=30).json() == {"status": "ok"}
    finally:
        process.terminate()
        assert process.wait(timeout=15) in {0, -signal.SIGTERM}


@pytest.mark.parametrize(
    ("variables", "words", "forked"),
    [({"MLMINI_PORT": "x"}, "MLMINI_PORT", True), ({}, "alembic upgrade head", False)],
    ids=["a wrong setting", "no tables"],
)
def test_what_stops_the_start_is_told_in_a_sentence(
    settings: Settings, variables: dict[str, str], words: str, forked: bool
) -> None:
    settings.home.mkdir()
    env = {**os.environ, "MLMINI_HOME": str(settings.home), **variables}
    answer = finish(["api.server"], env=env, cwd=ROOT, forked=forked)
    assert answer.returncode not in {0, None}
    assert words in answer.stderr


@pytest.mark.parametrize("told", [None, "3"])
def test_numeric_libraries_have_one_thread_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    monkeypatch.setattr(sys, "argv", ["api.server"])
    # What it sets for its own process is not for that of the tests.
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    monkeypatch.setattr(os, "umask", lambda _: None)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())
    monkeypatch.setenv("MLMINI_PORT", "a start that is refused")
    monkeypatch.setenv("OMP_NUM_THREADS", told or "")
    if told is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    with pytest.raises(SystemExit, match="MLMINI_PORT"):
        main()
    assert os.environ["OMP_NUM_THREADS"] == (told or "1")


def _waits(server: ApiServer) -> int:
    """How many requests wait for a job: those that are not yet counted as answered."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    (line,) = [line for line in text.splitlines() if line.startswith("mlmini_jobs_awaited ")]
    return int(float(line.split()[1]))


def test_a_connection_goes_on_after_an_answer_to_head(server: ApiServer) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/errors")
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.status, len(body)) == (200, 0 if method == "HEAD" else int(answer.headers["content-length"]))
    connection.close()
