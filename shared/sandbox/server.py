"""The fork server: imports what is heavy, then forks one process for each request.

Runs as `python -P -m shared.sandbox.server MODULE:FUNCTION`, single-threaded, its standard input a socket to its
owner. A request is one JSON message with the socket of that run attached. On the run's socket the server says how
the process ended; the owner shuts its side down to have the process killed. When the owner dies, the socket closes,
and the server kills what it forked and ends. When the server is killed, the kernel kills its children.
"""

import contextlib
import ctypes
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from shared.sandbox.limits import FAILED, OUT_OF_MEMORY, Limits, apply

READY = b"+"
_PR_SET_PDEATHSIG = 1

Entry = Callable[[Path], None]


def main() -> None:
    """Serve until the owner closes its socket."""
    owner = socket.socket(fileno=0)
    try:
        entry = _load(sys.argv[1])
    except BaseException:
        # A preload that fails in silence would only be seen as slow or failing jobs.
        owner.sendall(traceback.format_exc().encode())
        raise
    owner.sendall(READY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(owner, entry).serve()


class Server:
    """The loop over three kinds of news: a request, an end of a process, an owner's wish to kill."""

    def __init__(self, owner: socket.socket, entry: Entry) -> None:
        self.pid = os.getpid()
        self.owner = owner
        self.entry = entry
        self.runs: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(owner, selectors.EVENT_READ, self._take_request)
        wake, self._wakeup = socket.socketpair()
        wake.setblocking(False)
        self._wakeup.setblocking(False)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._reap(wake))
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.serving = True

    def serve(self) -> None:
        """Handle events until the owner is gone."""
        while self.serving:
            for key, _ in self.selector.select():
                key.data()
        for pid in self.runs:
            _kill(pid)

    def _take_request(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self.owner, 65536, 1)
        if not message:
            self.serving = False
            return
        request = json.loads(message)
        run = socket.socket(fileno=descriptors[0])
        try:
            self._fork(run, Path(request["folder"]), Limits(**request["limits"]))
        except OSError:
            # No process could be had. The owner sees it by the closed socket; the runs of others go on.
            traceback.print_exc()
            run.close()
        # The owner sends one request at a time, so that two messages never arrive as one.
        self.owner.sendall(READY)

    def _fork(self, run: socket.socket, folder: Path, limits: Limits) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_child(folder, limits)
        with contextlib.suppress(OSError):
            # Both sides do it, so that the group is there before the first wish to kill it, whoever is faster.
            os.setpgid(pid, pid)
        self.runs[pid] = run
        self.selector.register(run, selectors.EVENT_READ, lambda: self._kill_run(pid))
        _say(run, {"pid": pid})

    def _kill_run(self, pid: int) -> None:
        # Readable means closed: owners write nothing here. The socket stays until the process is reaped, and one that
        # was reaped in the same round of events has nothing to kill any more.
        if (run := self.runs.get(pid)) is not None:
            self.selector.unregister(run)
            _kill(pid)

    def _reap(self, wake: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            wake.recv(4096)
        for pid in list(self.runs):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended == 0:
                continue
            # What the process left behind in its group ends with it.
            _kill(pid)
            run = self.runs.pop(pid)
            with contextlib.suppress(KeyError):
                self.selector.unregister(run)
            code = os.waitstatus_to_exitcode(status)
            _say(run, {"signal": -code} if code < 0 else {"exit_code": code})
            run.close()

    def _become_child(self, folder: Path, limits: Limits) -> None:
        code = FAILED
        try:
            _enter(folder, limits, server=self.pid)
            self.entry(folder)
            code = 0
        except MemoryError:
            code = OUT_OF_MEMORY
        except BaseException:  # noqa: BLE001 - nothing may get past this point into the server's own loop
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def _load(name: str) -> Entry:
    module, _, function = name.partition(":")
    entry: Entry = getattr(importlib.import_module(module), function)
    return entry


def _enter(folder: Path, limits: Limits, *, server: int) -> None:
    """Make the forked process one of its own: group, descriptors, folder, limits."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A server that died before the line above gives no signal any more.
    if os.getppid() != server:
        os._exit(FAILED)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # Sockets of the server and of other runs among them: held open, they would hide a death from its owner.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ["TMPDIR"] = str(folder)
    os.chdir(folder)
    apply(limits)


def _say(run: socket.socket, news: dict[str, int]) -> None:
    # An owner that does not listen any more has asked for the end of the run, or is dead.
    with contextlib.suppress(OSError):
        run.sendall(json.dumps(news).encode() + b"\n")


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
