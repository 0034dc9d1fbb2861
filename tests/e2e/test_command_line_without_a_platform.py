"""What the command line says when the API is away, is something else, or is not ready; and about wrong usage."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.servers import free_ports

JOB = {
    "job_id": "7c2f1b0e-6f0d-4a53-9d8a-2f9a0f1f1c55",
    "kind": "train",
    "status": "queued",
    "progress": {"percent": 0, "step": "queued"},
    "dataset_name": "iris",
}


class Answers(BaseHTTPRequestHandler):
    """Gives one answer after the other, and the last one for ever."""

    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append((self.command, self.path, self.headers.get("Idempotency-Key")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = self.server.answers[0]
        if len(self.server.answers) > 1:
            self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the base class asks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """A server that is not the platform, or one that is not well."""

    daemon_threads = True

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers = list(answers)
        self.seen: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def server(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[Server]:
    with Server(*answers) as started:
        threading.Thread(target=started.serve_forever, daemon=True).start()
        try:
            yield started
        finally:
            started.shutdown()


def problem(status: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = {"type": "/errors/x", "status": status, "code": "x", "detail": "The database is away.", "request_id": "r"}
    return status, {"Content-Type": "application/problem+json", **headers}, json.dumps(content).encode()


def answer(status: int, document: object) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


TRAIN = ["train", "iris", "--example", "--model", "svm.SVC"]


@pytest.mark.parametrize("words", [["datasets", "list"], TRAIN, ["jobs", "logs", "x", "--follow"], ["demo"]])
def test_an_api_that_is_away_is_told_at_once(tmp_path: Path, words: list[str]) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    ended = CommandLine(tmp_path, url).run(*words)
    assert (ended.status, ended.out) == (3, "")
    assert f"Nothing answers at {url} (Connection refused)" in ended.err
    assert "mlmini up" in ended.err


def test_a_default_address_says_why_it_was_taken(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path).run("jobs", "list", MLMINI_PORT=str(free_ports(1)[0]))
    assert ended.status == 3
    assert f"no platform runs on {tmp_path / '.mlmini'}" in ended.err


def test_an_address_that_a_killed_platform_left_is_told(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    (tmp_path / "addresses.json").write_text(json.dumps({"api": f"http://127.0.0.1:{port}"}))
    ended = CommandLine(tmp_path).run("jobs", "list", MLMINI_HOME=str(tmp_path))
    assert ended.status == 3
    assert str(tmp_path / "addresses.json") in ended.err


def test_loopback_is_reached_past_a_proxy(tmp_path: Path) -> None:
    with server(answer(200, {"items": [], "next_cursor": None})) as found:
        proxy = f"http://127.0.0.1:{free_ports(1)[0]}"
        shown = CommandLine(tmp_path, found.url).succeed(
            "jobs", "list", HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY=""
        )
    assert "No jobs" in shown.out


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), "200 with text/html"),
        ((404, {}, b""), "404 with no content"),
        ((301, {"Location": "https://ml.example/"}, b""), "points to https://ml.example/"),
        ((200, {"Content-Type": "application/json"}, b"{"), "200 with application/json"),
    ],
    ids=["a page", "nothing", "a redirection", "half a document"],
)
def test_what_is_not_the_api_is_told(tmp_path: Path, found: tuple[int, dict[str, str], bytes], said: str) -> None:
    with server(found) as other:
        ended = CommandLine(tmp_path, other.url).run("models", "list")
    assert ended.status == 3
    assert "is not the API of the platform" in ended.err
    assert said in ended.err


def test_an_api_that_is_not_ready_is_asked_again_with_the_same_key(tmp_path: Path) -> None:
    with server(problem(503, **{"Retry-After": "0.1"}), problem(503), answer(202, JOB)) as slow:
        CommandLine(tmp_path, slow.url).succeed(*TRAIN, "--detach", "--json")
    assert len(slow.seen) == 3
    assert len({key for _, _, key in slow.seen}) == 1
    assert slow.seen[0][2]


def test_an_api_that_is_never_ready_is_not_asked_for_ever(tmp_path: Path) -> None:
    with server(problem(503, **{"Retry-After": "0.1"})) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "list", "--json")
    assert ended.status == 1
    assert ended.document["status"] == 503
    assert "The database is away." in ended.err
    assert 2 <= len(never.seen) <= 10


def test_what_may_not_be_repeated_is_sent_once(tmp_path: Path) -> None:
    with server(problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("retire", "1", "dev")
    assert (ended.status, len(never.seen)) == (1, 1)


WRONG = {
    "no such verb": (["trian"], "No such command 'trian'. Did you mean 'train'?"),
    "no such option": (["train", "iris", "--modle", "x"], "--model"),
    "no model": (["train", "iris"], "Missing option '--model'"),
    "a model without a module": (["train", "iris", "--model", "SVC"], "such as ensemble.RandomForestClassifier"),
    "a parameter without a value": ([*TRAIN, "--param", "C"], "such as n_estimators=100"),
    "a parameter twice": ([*TRAIN, "--param", "C=1", "--param", "C=2"], "--param C is given twice"),
    "a version that is none": (["models", "show", "one"], "Invalid value for 'VERSION'"),
    "a URL that is none": (["jobs", "list", "--url", "localhost:8000"], "is not the URL of an API"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_told_and_has_its_own_status(tmp_path: Path, name: str) -> None:
    words, sentence = WRONG[name]
    ended = CommandLine(tmp_path).run(*words)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with server(problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "upload", "none.csv")
    assert (ended.status, never.seen) == (1, [])
    assert "none.csv cannot be read: No such file or directory." in ended.err


def test_a_file_name_that_is_no_text_can_be_uploaded(tmp_path: Path) -> None:
    # A name on Linux may hold any bytes.
    (tmp_path / "tr\udce4.csv").write_text("a\n1\n")
    with server(problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "upload", "tr\udce4.csv")
    assert (ended.status, len(never.seen)) == (1, 1)
    assert "The database is away." in ended.err
