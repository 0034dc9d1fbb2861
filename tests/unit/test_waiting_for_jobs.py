"""Waiting for jobs that goes wrong tells how to wait again."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from cli.actions.waiting import wait_for
from cli.client.address import find_address
from cli.client.connection import Client
from cli.client.errors import Unreachable
from cli.render.output import Output

JOBS: list[dict[str, Any]] = [
    {"job_id": name, "status": "running", "progress": {"percent": 1, "step": "fitting"}, "finished_at": None}
    for name in ("first", "second")
]


class _ForeignSoon(BaseHTTPRequestHandler):
    """Tells of the first job once; whatever is asked then, something else answers."""

    answers = 0

    def do_GET(self) -> None:
        """Answer."""
        type(self).answers += 1
        body = json.dumps(JOBS[0]).encode() if self.answers == 1 else b"<html>"
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if self.answers == 1 else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_an_api_that_is_lost_meanwhile_leaves_the_ids_of_all_jobs() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _ForeignSoon) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = find_address(f"http://127.0.0.1:{server.server_port}")
        with Client(address, tell=lambda _: None) as client, pytest.raises(Unreachable) as caught:
            wait_for(client, Output(as_json=True), JOBS, ["one", "two"])
        server.shutdown()
    assert "is not the API" in caught.value.sentence
    for job in JOBS:
        assert f"mlmini jobs show {job['job_id']} --wait" in caught.value.sentence
