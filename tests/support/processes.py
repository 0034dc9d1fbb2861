"""The programs of the platform as processes of their own, with a clean environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shared.settings import PREFIX
from tests.support.servers import free_ports

ROOT = Path(__file__).parents[2]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process: nothing of the platform but these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"MLMINI_EXAMPLES": "0"} | dict(variables)


def run(module: str, *arguments: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


class Process:
    """A process that goes on until it is asked to stop."""

    def __init__(self, module: str, variables: Mapping[str, str], log: Path) -> None:
        self.port = variables.get("MLMINI_PORT", "")
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module], env=environment(variables), stdout=output, stderr=output
            )

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text()

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.poll() is not None

    def stop(self, number: int) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def process(module: str, variables: Mapping[str, str], *, log: Path) -> Iterator[Process]:
    """A process for the block; killed at the end if it still runs."""
    started = Process(module, variables, log)
    try:
        yield started
    finally:
        if not started.ended():
            started.stop(signal.SIGTERM)


def own_ports() -> dict[str, str]:
    """Variables that name free ports for the API and Flower."""
    api, flower = free_ports(2)
    return {"MLMINI_PORT": str(api), "MLMINI_FLOWER_PORT": str(flower)}


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder; empty folders by name alone."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}
