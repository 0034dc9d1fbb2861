"""The owner's side of the fork server: starts it, asks it for processes, and waits for their end."""

import json
import math
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.logging import get_logger
from shared.processes import kill_group
from shared.sandbox.isolation import NOTHING_MORE, Reach
from shared.sandbox.limits import READY, Ending, ProcessLimits, address_space_limit

log = get_logger(__name__)

# The only variables that a computing process gets. No setting of the platform is among them.
KNOWN: tuple[str, ...] = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
# What it may write besides its folder: nothing. Tests add folders in which processes wait for each other.
WRITES: tuple[str, ...] = ()
_START_SECONDS = 120
# With less memory than this, nothing can be computed.
_LEAST_ROOM_MB = 64


class SandboxFailed(RuntimeError):
    """The fork server does not start; the message has what it printed."""


class LimitTooLow(SandboxFailed):
    """The fork server does not start under a limit of the system; the message is a sentence that names it."""


class SandboxProcess:
    """One computing process."""

    def __init__(self, run: socket.socket) -> None:
        """Wait for the process to start; `run` is the socket on which the server reports about it.

        Raises:
            SandboxFailed: when the server could not start the process.
        """
        self._run = run
        self._said = b""
        self._ending: Ending | None = None
        try:
            self.pid: int = self._next(timeout=_START_SECONDS)["pid"]
        except (KeyError, OSError):
            run.close()
            raise SandboxFailed("the fork server could not start a process") from None

    def wait(self, *, timeout: float) -> Ending | None:
        """How it ended, or None when it has not after `timeout` seconds."""
        if self._ending is None:
            try:
                self._ending = Ending(**self._next(timeout=timeout))
            except TimeoutError:
                return None
            self._run.close()
        return self._ending

    def abandon(self) -> None:
        """Have it killed, and do not wait for its end or learn of it."""
        self._run.close()

    def kill(self) -> None:
        """Have it killed with all that it started. The server does it: only it knows that the pid is still the same."""
        if self._ending is None:
            try:
                self._run.shutdown(socket.SHUT_WR)
            except OSError:
                log.debug("sandbox_process_was_gone", pid=self.pid)

    def _next(self, *, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        # Not `select`, which fails with descriptors above 1,023, as processes with many connections have them.
        news = select.poll()
        news.register(self._run, select.POLLIN)
        while b"\n" not in self._said:
            if not news.poll(math.ceil(max(0.0, deadline - time.monotonic()) * 1000)):
                raise TimeoutError
            chunk = self._run.recv(4096)
            if not chunk:
                # The server died, and the kernel killed this process with it.
                return {}
            self._said += chunk
        line, _, self._said = self._said.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said


class Sandbox:
    """A fork server and its processes. The server starts at the first run, and again if it has died."""

    def __init__(self, entry: str, *, scratch: Path, reach: Reach = NOTHING_MORE) -> None:
        """`entry` is `module:function`, called with the folder of each run; `reach` is what all runs may reach."""
        self._entry = entry
        self._scratch = scratch
        self._reach = reach
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._room_mb: int | None = None

    @property
    def room_mb(self) -> int | None:
        """The most memory that a process may add, in MiB, if the system limits it; known after the start."""
        return self._room_mb

    def start(self) -> None:
        """Start the server if it does not run; return when it has imported everything.

        Raises:
            SandboxFailed: when it cannot start.
        """
        with self._lock:
            self._connected()

    def run(
        self, folder: Path, limits: ProcessLimits, *, given: socket.socket | None = None, reads: Sequence[Path] = ()
    ) -> SandboxProcess:
        """Start a process that calls the entry function with its own `folder`, and may also read `reads`.

        `given` becomes its standard input.

        Raises:
            SandboxFailed: when the server or the process cannot start.
        """
        given_to_read = [*self._reach.reads, *(str(path.absolute()) for path in reads)]
        reach = Reach(given_to_read, [*self._reach.writes, *WRITES], self._reach.ports)
        request = json.dumps({"folder": str(folder), "limits": asdict(limits), "reach": asdict(reach)}).encode()
        with self._lock:
            run = self._send_twice(request, [] if given is None else [given.fileno()])
        return SandboxProcess(run)

    def close(self) -> None:
        """End the server and every process that it forked. A server that is still starting is killed."""
        server = self._server
        if server is not None and self._socket is None:
            # Whoever starts it holds the lock until it is ready or dead, so the lock cannot be waited for.
            kill_group(server.pid)
        with self._lock:
            self._stop()

    def _send_twice(self, request: bytes, given: list[int]) -> socket.socket:
        # Each try has a pair of its own: a server that dies now may already have reported a process on the first. The
        # pairs are made outside the `try`, so that a lack of descriptors is not taken for the death of the server.
        pair = socket.socketpair()
        try:
            return self._send(request, given, *pair)
        except OSError:
            # The server has died since the last run; a new one gets the same request.
            self._stop()
        pair = socket.socketpair()
        try:
            return self._send(request, given, *pair)
        except OSError as error:
            self._stop()
            raise SandboxFailed(f"{self._entry} does not stay alive") from error

    def _send(self, request: bytes, given: list[int], ours: socket.socket, theirs: socket.socket) -> socket.socket:
        with theirs:
            try:
                connection = self._connected()
                socket.send_fds(connection, [request], [theirs.fileno(), *given])
                if not connection.recv(1):
                    raise ConnectionResetError
            except BaseException:
                ours.close()
                raise
        return ours

    def _connected(self) -> socket.socket:
        if self._server is not None and self._server.poll() is not None:
            log.warning("sandbox_server_died", entry=self._entry, status=self._server.returncode)
            self._stop()
        if self._socket is None:
            self._socket = self._start()
        return self._socket

    def _start(self) -> socket.socket:
        self._scratch.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = start_server(self._entry, theirs, self._scratch)
        ours.settimeout(_START_SECONDS)
        try:
            said = ours.recv(64)
            if not said.startswith(READY):
                said += b"".join(iter(lambda: ours.recv(65536), b""))
        except OSError as error:
            said = str(error).encode()
        self._room_mb = int(said[1:]) if said[1:].isdigit() and said.startswith(READY) else None
        if not said.startswith(READY) or (self._room_mb is not None and self._room_mb < _LEAST_ROOM_MB):
            ours.close()
            self._stop()
            raise self._failure(said.decode(errors="replace"))
        return ours

    def _failure(self, said: str) -> SandboxFailed:
        limit = address_space_limit()
        if limit is None:
            return SandboxFailed(f"{self._entry} does not start: {said}")
        log.error("sandbox_server_not_started", entry=self._entry, said=said)
        return LimitTooLow(
            f"The system limits the address space of a process to {limit:,} MiB (`ulimit -v`, LimitAS= of systemd), "
            "which is too little for the libraries that reading and training need. Raise that limit, or remove it."
        )

    def _stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._server is not None:
            try:
                self._server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                # The guard is stopped, and maybe the server, too, which is in its group.
                kill_group(self._server.pid)
                self._server.wait()
            self._server = None


def start_server(entry: str, owner: socket.socket, scratch: Path) -> subprocess.Popen[bytes]:
    """Start a fork server, which tells its owner on the socket when it is ready."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "shared.sandbox.server", entry],
        stdin=owner.fileno(),
        stdout=subprocess.DEVNULL,
        env=environment(),
        cwd=scratch,
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    """The environment of a fork server and of all that it forks."""
    known = {name: os.environ[name] for name in KNOWN if name in os.environ}
    # Arrow's own allocators reserve address space in advance, which would count against the limits of runs. BLAS would
    # start its threads again in each forked process, where they busy-wait. A computation that has several cores sets a
    # number of threads itself.
    return known | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
