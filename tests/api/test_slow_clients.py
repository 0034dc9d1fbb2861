"""Clients that take their time, and many of them at once."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import httpx2
import psutil
import pytest

from shared.database import Database
from shared.settings import Settings
from tests.support.api_server import ApiServer, serving
from tests.support.jobs import add_job
from tests.support.narrow_api import DESCRIPTORS, MODULE
from tests.support.processes import ROOT, Program, launch
from tests.support.raw_http import connected, is_closed, read_answer
from tests.support.server import running
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

HALF = b"GET /healthz HTTP/1.1\r\nHost: loc"
REST = b"alhost\r\n\r\n"
UPLOAD = (
    b"POST /datasets/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 100000\r\n\r\n--b\r\n"
)
JSON = b"POST /train HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """A server that waits for a second."""
    with stack.settings(tmp_path_factory.mktemp("impatient")) as settings:
        own = {"header_seconds": 1, "body_seconds": 1}
        with serving(settings.model_copy(update=own)) as (url, parts):
            add_job(parts.database)
            yield url


def test_headers_that_do_not_come_in_time_are_a_408(impatient: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(HALF)
        answer = read_answer(connection)
        assert (answer.status, answer.document["code"]) == (408, "request_timeout")
        assert answer.headers["Connection"] == "close"
        assert is_closed(connection)


def test_the_headers_of_a_later_request_have_no_more_time(impatient: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(HALF + REST)
        assert read_answer(connection).status == 200
        connection.sendall(HALF)
        assert read_answer(connection).status == 408


def test_a_connection_that_says_nothing_is_closed_without_a_word(impatient: str) -> None:
    with connected(impatient) as connection:
        assert is_closed(connection)


@pytest.mark.parametrize(
    "begun",
    [UPLOAD, JSON + b"Content-Length: 100\r\n\r\n{", JSON + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
    ids=["a form", "a length", "chunks"],
)
def test_a_body_that_stops_coming_is_a_408(impatient: str, begun: bytes) -> None:
    with connected(impatient) as connection:
        connection.sendall(begun)
        answer = read_answer(connection)
        assert (answer.status, answer.document["code"]) == (408, "request_timeout")
        assert answer.headers["Connection"] == "close"
        assert answer.headers["X-Request-ID"] == answer.document["request_id"]
        assert is_closed(connection)


def test_a_body_that_nobody_wanted_does_not_hold_a_connection(impatient: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
        assert read_answer(connection).status == 404
        connection.sendall(b"x")
        assert is_closed(connection)


def test_an_answer_may_take_longer_than_a_request(impatient: str) -> None:
    (job,) = httpx2.get(f"{impatient}/jobs", timeout=60).json()["items"]
    began = time.monotonic()
    assert httpx2.get(f"{impatient}/jobs/{job['job_id']}?wait=3", timeout=60).json()["status"] == "queued"
    # Three times as long as headers and bodies may.
    assert time.monotonic() - began >= 3


LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400


def test_clients_that_do_not_take_their_answers_do_not_hold_connections(api_settings: Settings) -> None:
    own = {"max_connections": 2, "body_seconds": 1}
    with serving(api_settings.model_copy(update=own)) as (url, _), ExitStack() as held:
        for _ in range(2):
            greedy = held.enter_context(connected(url))
            greedy.sendall(LARGE)
            assert greedy.recv(12) == b"HTTP/1.1 200"
        assert httpx2.get(f"{url}/healthz", timeout=60).status_code == 503
        eventually(lambda: httpx2.get(f"{url}/healthz", timeout=60).status_code == 200)


def test_a_client_that_takes_its_answers_slowly_gets_all_of_them(impatient: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(LARGE)
        began = time.monotonic()
        # Three times as long as one that takes nothing may stay, and each time much less than waits for it.
        while time.monotonic() - began < 3:
            select.select([], [], [], 0.1)
            assert len(connection.recv(2**16)) > 0


class NarrowServer(ApiServer):
    """The API of `narrow_api`."""

    def _process(self, log: IO[bytes]) -> Program:
        return launch([MODULE], env=self.environment(), cwd=self.folder, output=log, stem=True)

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def narrow(api_settings: Settings) -> Iterator[NarrowServer]:
    """Such a server."""
    server = NarrowServer(api_settings)
    with running(server):
        yield server


@pytest.mark.asvs("1.4.3", "15.2.2")
def test_more_half_open_connections_than_descriptors_keep_nobody_out(
    narrow: NarrowServer, server_database: Database
) -> None:
    # The soft limit, which it has raised, and the hard one.
    assert psutil.Process(narrow.pid).rlimit(psutil.RLIMIT_NOFILE) == (DESCRIPTORS, DESCRIPTORS)
    job_id = add_job(server_database)
    with ExitStack() as held:
        at_work = held.enter_context(connected(narrow.url))
        at_work.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert at_work.recv(12) == b"HTTP/1.1 200"
        idle = held.enter_context(connected(narrow.url))
        idle.sendall(HALF + REST)
        assert read_answer(idle).status == 200
        half_open: list[socket.socket] = []
        for _ in range(DESCRIPTORS + 100):
            half_open.append(held.enter_context(connected(narrow.url)))
            half_open[-1].sendall(HALF)
        assert httpx2.get(f"{narrow.url}/readyz", timeout=60).status_code == 200
        assert len(list(Path(f"/proc/{narrow.pid}/fd").iterdir())) < DESCRIPTORS
        # The oldest had to go, the newest may go on, and so may those that had asked for something.
        assert is_closed(half_open[0])
        half_open[-1].sendall(REST)
        assert read_answer(half_open[-1]).status == 200
        at_work.setblocking(False)
        eventually(lambda: b"event: status" in _read(at_work))
    eventually(lambda: len(list(Path(f"/proc/{narrow.pid}/fd").iterdir())) < DESCRIPTORS // 2)
    assert "Traceback" not in (narrow.folder / "log").read_text()


def test_where_all_are_at_work_the_next_one_is_told_so(api_settings: Settings) -> None:
    with serving(api_settings.model_copy(update={"max_connections": 2})) as (url, parts), ExitStack() as held:
        job_id = add_job(parts.database)
        for _ in range(2):
            at_work = held.enter_context(connected(url))
            at_work.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert at_work.recv(12) == b"HTTP/1.1 200"
        more = held.enter_context(connected(url))
        more.sendall(HALF + REST)
        answer = read_answer(more)
        assert (answer.status, answer.document["code"]) == (503, "too_many_connections")
        assert int(answer.headers["Retry-After"]) > 0


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except BlockingIOError:
        return b""
