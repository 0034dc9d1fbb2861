"""A TCP proxy before a real server, that can do to a connection whatever a network can.

Each fault is an attribute that holds until it is set back; `heal` sets all of them back.
"""

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE_BYTES = 65536
# How soon a connection that is held up notices that it may go on.
_TICK_SECONDS = 0.01
_VERBS = (b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")
# SO_LINGER of no time at all: closing sends a reset.
RESET = struct.pack("ii", 1, 0)
# As an S3 server says that it has too much to do; the request was not looked at.
_BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(eq=False)
class _Connection:
    """A client, the server behind, and whether anybody carries bytes between them.

    Two threads use both sockets. The last one to leave closes them: a number of a closed socket may be another's.
    """

    client: socket.socket
    server: socket.socket
    stranded: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    left: list[None] = field(default_factory=list)

    def end(self, *, reset: bool = False) -> None:
        """Have both threads leave; after a reset, both ends see an error and no orderly end."""
        self.over.set()
        for side in (self.client, self.server):
            with suppress(OSError):
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                # Ends the wait of the thread that reads from it.
                side.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)

    def leave(self) -> bool:
        """Say that a thread uses it no more; whether that was the last one, which closes it."""
        self.left.append(None)
        if len(self.left) < 2:
            return False
        self.client.close()
        self.server.close()
        return True


class Proxy:
    """Passes bytes on in both directions, as well as it is allowed to."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._connections: set[_Connection] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._down = False
        # The next answer that holds these bytes is cut `cut_after` bytes behind its start, once.
        self.cut_at: bytes | None = None
        self.cut_after = 0
        self.cuts = 0
        # In the next answer that holds these bytes, the last byte of the piece that they came with is another one.
        self.flip_at: bytes | None = None
        self.flips = 0
        # How many bytes of requests the server has got.
        self.sent = 0
        # How many requests of HTTP were answered with an error in the server's stead, and how large a share is.
        self.errors = 0
        self.heal()

    def heal(self) -> None:
        """Pass everything on again, at once. What was held up arrives; what was lost stays lost."""
        # While set, answers vanish and connections stay open, as behind a router that drops packets.
        self.silent = False
        # While set, nothing arrives in either direction: it comes late, when the hole is closed again.
        self.black_hole = False
        # How long each piece is under way.
        self.delay_seconds = 0.0
        # The most bytes of one piece; None leaves them as they come.
        self.slice_bytes: int | None = None
        # The share of HTTP requests that are answered by 503.
        self.failing = 0.0
        self.cut_at = None
        self.flip_at = None
        self.up()

    def down(self) -> None:
        """Reset all connections, those to come too, until it is up again."""
        self._down = True
        self.reset()

    def up(self) -> None:
        """Take connections again."""
        self._down = False

    def reset(self) -> None:
        """Reset all connections that are open now."""
        for connection in self._open():
            connection.end(reset=True)

    def strand(self) -> None:
        """Leave the connections that are open now half open: no byte and no end arrives by them any more."""
        for connection in self._open():
            connection.stranded = True

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._connect(client)

    def close(self) -> None:
        """Take no more connections, and end those that are there."""
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open():
            connection.end()

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._down:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            # The nearest thing to refusing that a listener can do.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        connection = _Connection(client, server)
        with self._lock:
            self._connections.add(connection)
        for pump in (self._pump_requests, self._pump_answers):
            threading.Thread(target=self._carry, args=(pump, connection), daemon=True).start()

    def _open(self) -> list[_Connection]:
        with self._lock:
            return list(self._connections)

    def _carry(self, pump: Callable[[_Connection], None], connection: _Connection) -> None:
        try:
            pump(connection)
        except OSError:
            # A process that is killed resets its connections: the server must learn of it, or keeps its locks for ever.
            if not connection.stranded:
                connection.end()
        if connection.stranded:
            # Neither side learns that the other one is gone.
            connection.over.wait()
        with self._lock:
            if connection.leave():
                self._connections.remove(connection)

    def _pump_requests(self, connection: _Connection) -> None:
        while data := connection.client.recv(_PIECE_BYTES):
            if not self._passes(connection):
                return
            if self.failing and data.startswith(_VERBS) and random.random() < self.failing:  # noqa: S311 - no secret
                self.errors += 1
                connection.client.sendall(_BUSY)
                connection.end()
                return
            self._send(connection.server, data, counted=True)
        if not connection.over.is_set() and not connection.stranded:
            connection.server.shutdown(socket.SHUT_WR)

    def _pump_answers(self, connection: _Connection) -> None:
        left: int | None = None
        try:
            while (left is None or left > 0) and (data := connection.server.recv(_PIECE_BYTES)):
                if not self._passes(connection):
                    return
                if self.silent:
                    continue
                if left is None and self.cut_at is not None and self.cut_at in data:
                    self.cut_at, left = None, self.cut_after
                    self.cuts += 1
                self._send(connection.client, self._flipped(data if left is None else data[:left]))
                left = None if left is None else left - len(data)
        finally:
            if not connection.over.is_set() and not connection.stranded:
                connection.end()

    def _passes(self, connection: _Connection) -> bool:
        """Wait for as long as nothing passes; False when the connection came to its end meanwhile."""
        while (self.black_hole or connection.stranded) and not connection.over.wait(_TICK_SECONDS):
            pass
        return not connection.over.is_set()

    def _flipped(self, data: bytes) -> bytes:
        if self.flip_at is None or self.flip_at not in data:
            return data
        self.flip_at = None
        self.flips += 1
        return data[:-1] + bytes([data[-1] ^ 1])

    def _send(self, target: socket.socket, data: bytes, *, counted: bool = False) -> None:
        size = self.slice_bytes or _PIECE_BYTES
        for start in range(0, len(data), size):
            if self.delay_seconds:
                time.sleep(self.delay_seconds)
            target.sendall(data[start : start + size])
            self.sent += size if counted else 0


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy before a local port, closed at the end."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
