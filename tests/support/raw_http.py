"""Requests byte by byte, which no client of HTTP would send."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 30


@dataclass(frozen=True)
class RawAnswer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=_SECONDS) as connection:
        yield connection


def read_answer(connection: socket.socket, *, method: str = "GET") -> RawAnswer:
    """The next answer on a connection.

    Raises:
        http.client.BadStatusLine: when the connection ends without one.
    """
    answer = HTTPResponse(connection, method=method)
    answer.begin()
    return RawAnswer(answer.status, answer.headers, answer.read())


def exchange(url: str, *lines: str, body: bytes = b"") -> RawAnswer:
    """Send a request of these lines on a connection of its own, and return the answer."""
    with connected(url) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body)
        return read_answer(connection, method=lines[0].partition(" ")[0])


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has ended the connection, without another byte; waits for that."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
