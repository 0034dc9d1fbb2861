"""A real server as a child process of the test run."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import IO

from shared.processes import follow_parent
from tests.support.zygote import Program

START_SECONDS = 90


# Below the ports that Linux gives to outgoing connections, and to whoever binds port 0: a port that is free now
# is still free when the server comes to bind it.
_PORTS = range(10_000, 32_000)
_LOT = 500


@cache
def _lot() -> Iterator[int]:
    """The ports of this test process, round and round; no other test process of this machine has them."""
    for start in _PORTS[::_LOT]:
        claim = socket.socket()
        with suppress(OSError):
            # Who holds the first port has them all, until the process ends, however it ends.
            claim.bind(("127.0.0.1", start))
            return _round(claim, range(start + 1, start + _LOT))
        claim.close()
    raise AssertionError(f"more than {len(_PORTS[::_LOT])} test processes run on this machine")


def _round(claim: socket.socket, ports: range) -> Iterator[int]:
    with claim:
        yield from itertools.cycle(ports)


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 that nobody listens on, and that no other test process will be given."""
    return list(itertools.islice(filter(_is_free, itertools.islice(_lot(), _LOT)), count))


def _is_free(port: int) -> bool:
    with socket.socket() as tried, suppress(OSError):
        tried.bind(("127.0.0.1", port))
        return True
    return False


class Server(ABC):
    """One real server with its own temporary folder. It keeps its ports and its files from start to start."""

    user: str | None = None
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        # Not below pytest's folder: that one is closed to the other user that PostgreSQL runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="mlmini-test-"))
        self.process: Program | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers requests; may raise OSError while it does not."""

    def environment(self) -> dict[str, str]:
        """All environment variables of the process."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    @property
    def pid(self) -> int:
        """The process id of a running server."""
        assert self.process is not None, "the server does not run"
        return self.process.pid

    def start(self) -> None:
        """Start it and return when it is ready. It ends with the calling thread at the latest."""
        self.launch()
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{type(self).__name__} did not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.02)

    def launch(self) -> None:
        """Start it and do not wait for it. It ends with the calling thread at the latest."""
        with (self.folder / "log").open("ab") as log:
            self.process = self._process(log)

    def stop(self) -> None:
        """End it in order and keep its files."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it with SIGKILL and keep its files."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """End it at once and delete its files."""
        self.kill()
        shutil.rmtree(self.folder)

    def _process(self, log: IO[bytes]) -> Program:
        end = self.stop_signal if self.stop_signal is signal.SIGQUIT else signal.SIGKILL
        return subprocess.Popen(
            self.command(),
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env=self.environment(),
            user=self.user,
            # A test run that is killed cannot clean up.
            preexec_fn=partial(follow_parent, end, parent=os.getpid()),  # noqa: PLW1509 (it makes one system call)
        )

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.is_ready()
        return False


@contextmanager
def running(server: Server) -> Iterator[None]:
    """Start a server for the block; nothing of it is left behind."""
    try:
        server.start()
        yield
    finally:
        server.remove()
