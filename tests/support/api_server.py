"""The API behind a real socket: as a process of its own, or in a thread of this one."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import IO, Any

from api.app import create_app
from api.parts import Parts
from api.server import HttpServer
from shared.settings import PREFIX, Settings
from tests.support.processes import launch
from tests.support.server import Server, free_ports
from tests.support.site import environment_of
from tests.support.waiting import eventually
from tests.support.zygote import Program


class ApiServer(Server):
    """`python -m api.server` with the given settings, but on a port of its own."""

    def __init__(
        self, settings: Settings, *, forked: bool = True, module: str = "api.server", **variables: str
    ) -> None:
        """`variables` are set in its environment beside those of the settings."""
        super().__init__()
        self._module = module
        self._variables = variables
        self._forked = forked
        (self.port,) = free_ports(1)
        self._settings = settings.model_copy(update={"port": self.port})

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", self._module]

    def _process(self, log: IO[bytes]) -> Program:
        if not self._forked:
            return super()._process(log)
        # A stem is the child of one process, and cannot be waited for by those that are forked from it.
        alone = self._settings.api_workers == 1
        return launch([self._module], env=self.environment(), cwd=self.folder, output=log, stem=alone)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return kept | environment_of(self._settings) | self._variables

    def is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        finally:
            connection.close()


@contextmanager
def serving(settings: Settings, port: int = 0, *, everywhere: bool = False) -> Iterator[tuple[str, Parts]]:
    """Serve the API from a thread of this process, on any port by default; yields its URL and its parts.

    Where it listens `everywhere`, it does so with one socket of IPv6, as MLMINI_HOST=:: has it.
    """
    app = create_app(settings)
    server = HttpServer(app, settings)
    ipv6: Any = {"family": socket.AF_INET6, "dualstack_ipv6": True} if everywhere else {}
    with socket.create_server(("::" if everywhere else "127.0.0.1", port), **ipv6) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api-server")
        thread.start()
        try:
            eventually(lambda: server.started or not thread.is_alive(), timeout=30)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.parts
        finally:
            server.should_exit = True
            thread.join()
