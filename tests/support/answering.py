"""A server that gives the answers that it was told to: one that is not the platform, or not well."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Given = tuple[int, dict[str, str], bytes]


class Answers(BaseHTTPRequestHandler):
    """Gives one answer after the other, and the last one for ever."""

    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append((self.command, self.path, self.headers.get("Idempotency-Key")))
        self.server.authorizations.append(self.headers.get("Authorization"))
        self.server.keys.append(self.headers.get("X-API-Key"))
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        status, headers, body = self.server.answers[0]
        if len(self.server.answers) > 1:
            self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    # The names that the base class asks for.
    do_POST = do_GET  # noqa: N815
    do_PATCH = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """Where the answers come from; `seen` is what was asked for."""

    daemon_threads = True

    def __init__(self, *answers: Given) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.answers = list(answers)
        self.seen: list[tuple[str, str, str | None]] = []
        self.authorizations: list[str | None] = []
        self.keys: list[str | None] = []
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def server(*answers: Given) -> Iterator[Server]:
    """The server, while it runs."""
    with Server(*answers) as started:
        threading.Thread(target=started.serve_forever, daemon=True).start()
        try:
            yield started
        finally:
            started.shutdown()


def problem(status: int, code: str = "x", **headers: str) -> Given:
    """A problem of the API."""
    content = {"type": f"/errors/{code}", "status": status, "code": code, "detail": "The database is away."}
    content["request_id"] = "r"
    return status, {"Content-Type": "application/problem+json", **headers}, json.dumps(content).encode()


def answer(status: int, document: object) -> Given:
    """A document of the API."""
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def page(status: int) -> Given:
    """A page of a gateway before the API."""
    return status, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"
