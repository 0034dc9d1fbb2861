"""The owner's side of the fork server."""

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

# All that a computing process may know of its surroundings. No setting of the platform is among it.
KNOWN: tuple[str, ...] = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
# What it may write beside its folder: nothing.
WRITES: tuple[str, ...] = ()
_START_SECONDS = 120
# With less than this, nothing is computed.
_LEAST_ROOM_MB = 64


class SandboxFailed(RuntimeError):
    """The fork server does not start; its message has what it said."""


class LimitTooLow(SandboxFailed):
    """It does not start under a limit of the system; its message is a sentence that names the limit."""


class SandboxProcess:
    """One computing process."""

    def __init__(self, run: socket.socket) -> None:
        """`run` is the socket on which the server reports.

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
        """Have it killed, and hear no more of it; nothing is waited for."""
        self._run.close()

    def kill(self) -> None:
        """Have it killed with all that it started. The server does it, as it alone knows that the pid is still its."""
        if self._ending is None:
            try:
                self._run.shutdown(socket.SHUT_WR)
            except OSError:
                log.debug("sandbox_process_was_gone", pid=self.pid)

    def _next(self, *, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        # Not `select`, which cannot see descriptors from 1,024 on: a process with many connections has those.
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
    """A fork server and what it forks; started at the first run and again when it died."""

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
        """How much memory a process may add at most, in MiB, where the system limits it; known after the start."""
        return self._room_mb

    def start(self) -> None:
        """Start the server if it does not run; returns when it has imported everything.

        Raises:
            SandboxFailed: when it cannot start.
        """
        with self._lock:
            self._connected()

    def run(
        self, folder: Path, limits: ProcessLimits, *, given: socket.socket | None = None, reads: Sequence[Path] = ()
    ) -> SandboxProcess:
        """Start a process that calls the entry function with `folder`, which is its own, and may read `reads`, too.

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
        """End the server and every process that it forked; one that is still starting is not waited for."""
        server = self._server
        if server is not None and self._socket is None:
            # Whoever starts it holds the lock until it is ready, or dead.
            kill_group(server.pid)
        with self._lock:
            self._stop()

    def _send_twice(self, request: bytes, given: list[int]) -> socket.socket:
        # A pair for each server: one that dies now may have reported its process already. Made here, so that a lack of
        # descriptors is not taken for the death of a server, whose processes would be killed with it.
        pair = socket.socketpair()
        try:
            return self._send(request, given, *pair)
        except OSError:
            # It died since the last run; a second server gets the same request.
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
                # The guard stands still, and so may the server, which is of its group.
                kill_group(self._server.pid)
                self._server.wait()
            self._server = None


def start_server(entry: str, owner: socket.socket, scratch: Path) -> subprocess.Popen[bytes]:
    """Start a fork server, which says on the socket to its owner when it is ready."""
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
    # Arrow's own allocators reserve address space in advance, which the caps of runs would count. The threads of BLAS
    # do not live on in a forked process: each would start them again, where they wait for work by asking for it all
    # the time. A computation that has more than one core takes what it has.
    return known | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
