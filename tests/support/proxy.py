"""A TCP proxy before a real server, that can lose answers on the way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes on in both directions until `cut_at` is set."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # The next answer that holds these bytes is cut `cut_after` bytes behind its start, once.
        self.cut_at: bytes | None = None
        self.cut_after = 0
        self.cuts = 0
        # While set, answers vanish and connections stay open, as behind a router that drops packets.
        self.silent = False

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                for pump in (self._pump_requests, self._pump_answers):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @staticmethod
    def _pump_requests(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _pump_answers(self, client: socket.socket, server: socket.socket) -> None:
        left: int | None = None
        with client, server, suppress(OSError):
            while (left is None or left > 0) and (data := server.recv(65536)):
                if self.silent:
                    continue
                if left is None and self.cut_at is not None and self.cut_at in data:
                    self.cut_at, left = None, self.cut_after
                    self.cuts += 1
                client.sendall(data if left is None else data[:left])
                left = None if left is None else left - len(data)
            # The other thread still holds the socket open; this ends its wait.
            client.shutdown(socket.SHUT_RDWR)


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
