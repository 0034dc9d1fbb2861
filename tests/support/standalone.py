"""Servers of one exported model, each a process of its own."""

import os
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

import httpx2

from shared.settings import PREFIX
from tests.support.processes import ROOT, launch
from tests.support.server import Server, free_ports
from tests.support.zygote import Program

MODULE = "api.standalone"


class StandaloneServer(Server):
    """`python -m api.standalone FOLDER` on a port of its own, with no settings but those that are given."""

    def __init__(self, exported: Path, *options: str, **variables: str) -> None:
        super().__init__()
        (self.port,) = free_ports(1)
        self._words = [str(exported), *options]
        self._variables = variables

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return (self.folder / "log").read_text()

    def client(self) -> httpx2.Client:
        """A client of it."""
        return httpx2.Client(base_url=self.url, timeout=60)

    def command(self) -> list[str]:
        return [sys.executable, "-m", MODULE, *self._words]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "SAGEMAKER_"))}
        return kept | {"SAGEMAKER_BIND_TO_PORT": str(self.port)} | self._variables

    def is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def _process(self, log: IO[bytes]) -> Program:
        return launch([MODULE, *self._words], env=self.environment(), cwd=self.folder, output=log, stem=True)


class ServedByVerb(StandaloneServer):
    """`mlmini serve FOLDER`, as a process that is not forked from one of the tests."""

    begin: tuple[str, ...] = (sys.executable, "-m", "cli", "serve")

    def command(self) -> list[str]:
        return [*self.begin, *self._words]

    def _process(self, log: IO[bytes]) -> Program:
        return Server._process(self, log)


class ServedInImage(ServedByVerb):
    """The command `serve` of the image, outside of it."""

    begin = ("sh", str(ROOT / "api" / "standalone" / "serve.sh"))

    def environment(self) -> dict[str, str]:
        given = super().environment()
        return given | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{given['PATH']}"}
