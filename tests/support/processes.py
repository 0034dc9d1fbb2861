"""The programs of the platform as processes of their own, with a clean environment."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from shared.settings import PREFIX
from tests.support.server import free_ports
from tests.support.zygote import ROOT, Program, Wish, zygote

__all__ = ["ROOT", "Process", "Program", "contents", "environment", "finish", "launch", "own_ports", "process", "run"]

_SECONDS = 120


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process: nothing of the platform but these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"MLMINI_EXAMPLES": "0", "MLMINI_FOLDS": "0"} | dict(variables)


def launch(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes],
    errors: IO[bytes] | None = None,
    stdin: int | None = None,
    new_session: bool = False,
    stem: bool = False,
    forked: bool = True,
) -> Program:
    """`python -m COMMAND` as a process with this environment: forked from the zygote, or from the command line.

    It reads from the descriptor `stdin`, or nothing. Errors go to the output unless they have a file of their own. With
    a `stem`, a forked one has its first fork server from there.
    """
    errors = errors or output
    with Path(os.devnull).open("rb") as nothing:
        source = nothing.fileno() if stdin is None else stdin
        if forked and sys.platform == "linux":
            wish = Wish(command, env, str(cwd), new_session, stem)
            return zygote().start(wish, [source, output.fileno(), errors.fileno()])
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            env=env,
            cwd=cwd,
            stdin=source,
            stdout=output,
            stderr=errors,
            start_new_session=new_session,
        )


def finish(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path, given: bytes = b"", forked: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run it to its end with pipes around it; `given` is what it can read."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with os.fdopen(reading):
            started = launch(command, env=env, cwd=cwd, output=output, errors=errors, stdin=reading, forked=forked)
        try:
            with suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
                pipe.write(given)
            status = started.wait(timeout=_SECONDS)
        finally:
            started.kill()
        shown = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
    return subprocess.CompletedProcess(command, status, *shown)


def run(module: str, *arguments: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A process of its own, to its end."""
    return finish([module, *arguments], env=environment(variables), cwd=ROOT)


class Process:
    """A process that goes on until it is asked to stop."""

    def __init__(self, module: str, variables: Mapping[str, str], log: Path) -> None:
        self.port = variables.get("MLMINI_PORT", "")
        self._log = log
        with log.open("wb") as output:
            self.process = launch([module], env=environment(variables), cwd=ROOT, output=output)

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
