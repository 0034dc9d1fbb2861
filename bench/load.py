"""A client that costs little beside the server that it asks: bare sockets with a prepared request."""

import json
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit


def load(
    bases: Sequence[str], path: str, body: dict[str, Any], *, connections: int, seconds: float, status: int = 200
) -> list[float]:
    """Response times in seconds of as many POSTs as the connections, spread over `bases`, manage in the time."""
    times: list[float] = []
    threads = [
        threading.Thread(
            target=_ask,
            args=(bases[number % len(bases)], path, body),
            kwargs={"seconds": seconds, "status": status, "times": times},
        )
        for number in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _ask(base: str, path: str, body: dict[str, Any], *, seconds: float, status: int, times: list[float]) -> None:
    content = json.dumps(body).encode()
    host = urlsplit(base)
    head = f"POST {path} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    with socket.create_connection((host.hostname or "", host.port or 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            connection.sendall(request)
            _read_answer(connection, status)
            times.append(time.perf_counter() - start)


def _read_answer(connection: socket.socket, status: int) -> None:
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, content = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d" % status):
        raise SystemExit(answer.decode())
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(content) < length:
        content += connection.recv(65536)
