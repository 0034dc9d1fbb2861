"""Processes of the platform that need not import it first: they are forked from one that has.

A process of the API, of a worker or of a fork server spends one to three seconds of a core on imports, and a run of
the tests starts more than a thousand. `Zygote.start` has the same from a process that has imported what all of them
need and does nothing else: it has no thread, no connection and no setting. What it forks becomes what
`python -m COMMAND` is: a process with its own number, environment, folder, session and descriptors, whose module runs
as `__main__` and whose end is the interpreter's own, with its exit status. All are killed when the zygote ends, and it
ends with the process that started it.

What differs is what only a test of a start would see: modules are imported, and the hash seed and the command line
are those of the zygote. For such a test `tests.support.processes.launch` starts a process that is not forked.

A worker or an API has its fork server from a *stem*: forked before it is one, this waits as a clean process until it
is needed. It is a child of the worker, as in production. The next fork server, after the death of the first, is started
by the command line.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import coverage

from shared.processes import follow_parent
from shared.sandbox import client
from shared.settings import PREFIX

ROOT = Path(__file__).parents[2]

_READER = "shared.tables.inspection"
# With these all is imported that a process of the platform needs, but no module that is run as `__main__`.
_IMPORTED = (
    "api.app",
    "billiard.dummy",
    "billiard.pool",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.app.routes",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.thread",
    "celery.fixups.django",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    *(f"cli.actions.{path.stem}" for path in sorted((ROOT / "cli" / "actions").glob("[a-z]*.py"))),
    "cli.app",
    "cli.demo.walk",
    "cli.doctor",
    "cli.launcher.part",
    "cli.launcher.up",
    "cli.render.datasets",
    "cli.render.estimators",
    "encodings.ascii",
    "flower.__main__",
    "httpcore2",
    "idna",
    "psycopg",
    "shared.prediction.predicting_process",
    _READER,
    "shared.listening",
    "shared.object_store.s3",
    "shared.registry.seal_renewal",
    "shared.schema",
    "typer._adapters",
    "typer._click.decorators",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
    "uvloop",
    "worker.app",
    "worker.computation",
    "tests.support.ready_made",
)
_FORK_SERVER = "shared.sandbox.server"
_NOTHING = Path(os.devnull)
_READY = b"+"
_MOST_BYTES = 2**18


@dataclass(frozen=True)
class Wish:
    """What a forked process is to become: `python -m COMMAND`."""

    command: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    new_session: bool = False
    # Whether it starts a fork server, so that it is to have a stem.
    stem: bool = False


class Forked:
    """A forked process, with the part of `subprocess.Popen` that tests and the platform use."""

    def __init__(self, pid: int, look: Callable[[int], int | None]) -> None:
        """`look` returns the exit status of the process with that number, and None before its end."""
        self.pid = pid
        self.returncode: int | None = None
        self._look = look

    def poll(self) -> int | None:
        """The exit status, and None before the end."""
        if self.returncode is None:
            self.returncode = self._look(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, as soon as there is one.

        Raises:
            TimeoutExpired: when there is none within so many seconds.
        """
        if self.poll() is None:
            descriptor = os.pidfd_open(self.pid)
            try:
                end = select.poll()
                end.register(descriptor, select.POLLIN)
                end.poll(None if timeout is None else timeout * 1000)
            finally:
                os.close(descriptor)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        # It keeps its number until somebody looks, so that no other process is met.
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.send_signal(signal.SIGKILL)


Program = Forked | subprocess.Popen[bytes]


class Zygote:
    """The owner's side of the zygote."""

    def __init__(self, owner: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        """`owner` is the owner's end; the zygote has the other one. `process` is it, if this process has started it."""
        self._lock = threading.Lock()
        self._socket = owner
        self._process = process
        atexit.register(self.close)
        # It says so when it has imported all, and an end of its own is the end of the socket.
        assert self._socket.recv(1) == _READY, "the zygote does not start; it wrote why"

    @classmethod
    def started(cls, imports: Sequence[str] = _IMPORTED) -> Self:
        """A new one; `imports` are the modules that what it forks need not import."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            return cls(ours, _start(theirs, imports))

    @classmethod
    def shared(cls, address: Path) -> Self:
        """One that the process which listens there forks."""
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.connect(str(address))
        return cls(ours)

    def start(self, wish: Wish, descriptors: Sequence[int]) -> Forked:
        """Fork a process that becomes what is wished for, with these for input, output and errors."""
        pid = self._ask({"start": asdict(wish)}, descriptors)
        return Forked(pid, lambda pid: self._ask({"look": pid}))

    def start_server(self, entry: str, owner: socket.socket, scratch: Path) -> Forked:
        """The same as the function of that name in `shared.sandbox.client`."""
        with _NOTHING.open("wb") as nothing:
            return self.start(_server_of(entry, scratch), [owner.fileno(), nothing.fileno(), 2])

    def close(self) -> None:
        """End it, and all that it forked."""
        atexit.unregister(self.close)
        self._socket.shutdown(socket.SHUT_WR)
        # Its own end is the end of the socket.
        self._socket.recv(1)
        self._socket.close()
        if self._process:
            self._process.wait()

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
            return json.loads(self._socket.recv(64))


@dataclass(frozen=True)
class SharedZygotes:
    """What the processes of one run of tests have their zygotes from: each thing is imported once for all of them."""

    folder: Path

    def start(self) -> list[subprocess.Popen[bytes]]:
        """Start what listens in the folder. It imports when the first one asks, and ends with this process."""
        return [self._start(name, imports) for name, imports in _KINDS.items()]

    def use(self) -> None:
        """Have the zygotes of this process from there."""
        global _shared  # noqa: PLW0603 - a process of tests is told once where they are
        _shared = self

    def zygote(self, kind: str) -> Zygote:
        """One for the calling process."""
        return Zygote.shared(self.folder / kind)

    def _start(self, kind: str, imports: Sequence[str]) -> subprocess.Popen[bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(self.folder / kind))
            listening.listen()
            return _start(listening, imports)


_shared: SharedZygotes | None = None

ALL, READERS = "all", "readers"
_KINDS = {ALL: _IMPORTED, READERS: (_READER,)}


@functools.cache
def _zygote(kind: str) -> Zygote:
    return _shared.zygote(kind) if _shared else Zygote.started(_KINDS[kind])


def zygote() -> Zygote:
    """The one of this process."""
    return _zygote(ALL)


def _readers() -> Zygote:
    """The one for the fork servers of readers: with less in it, each of their forks takes a third of the time."""
    return _zygote(READERS)


def _start(owner: socket.socket, imports: Sequence[str]) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", PREFIX))}
    # What libraries read when they are imported is what a fork server has.
    clean |= client.environment()
    command = [sys.executable, "-m", "tests.support.zygote", *imports]
    return subprocess.Popen(command, stdin=owner.fileno(), stdout=subprocess.DEVNULL, cwd=ROOT, env=clean)


def start_server(entry: str, owner: socket.socket, scratch: Path) -> Forked:
    """The same as the function of that name in `shared.sandbox.client`, from the zygote that has the imports."""
    chosen = _readers() if entry.startswith(f"{_READER}:") else zygote()
    return chosen.start_server(entry, owner, scratch)


class _Stem:
    """The side of its stem that a worker or an API has."""

    def __init__(self, stem: socket.socket, pid: int) -> None:
        self._socket = stem
        self._pid = pid
        self._by_command_line = client.start_server

    def start_server(self, entry: str, owner: socket.socket, scratch: Path) -> Program:
        """The same as the function of that name in `shared.sandbox.client`, which has its place back afterwards."""
        client.start_server = self._by_command_line
        with self._socket, _NOTHING.open("wb") as nothing:
            try:
                message = json.dumps(asdict(_server_of(entry, scratch))).encode()
                socket.send_fds(self._socket, [message], [owner.fileno(), nothing.fileno(), 2])
            except OSError:
                # A signal to all processes of the worker's group has ended it.
                os.waitpid(self._pid, 0)
                return self._by_command_line(entry, owner, scratch)
        return Forked(self._pid, look)


def _server_of(entry: str, scratch: Path) -> Wish:
    return Wish([_FORK_SERVER, entry], client.environment(), str(scratch), new_session=True)


def main() -> None:
    """Import, and fork until the owner's socket closes. In a forked process: become what is wished for.

    Where the socket listens, each that connects to it owns a zygote.
    """
    # Ctrl-C is for the owner.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is forked hears it, whoever started the tests, such as nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    owner = socket.socket(fileno=0)
    listens = owner.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listens:
        follow_parent(signal.SIGKILL, parent=os.getppid())
        select.select([owner], [], [])
    gc.disable()
    for name in sys.argv[1:]:
        importlib.import_module(name)
    # What is there now is no garbage: to look at it in each process would copy it for each.
    gc.collect()
    gc.freeze()
    gc.enable()
    if listens:
        _fork_for_each(owner)
    owner.sendall(_READY)
    if wish := _serve(owner):
        become(wish)


def _fork_for_each(listening: socket.socket) -> None:
    """Fork a zygote for each that connects; returns in these, whose input is the connection then."""
    # Nobody looks at their exit status.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listening.accept()
        with connection:
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.dup2(connection.fileno(), listening.fileno())
                return


def _serve(owner: socket.socket) -> Wish | None:
    """Do what the owner asks for; returns a wish in the process that is to fulfil it, and None at the end."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(owner, _MOST_BYTES, 3)
        if not message:
            return None
        request = json.loads(message)
        if "look" in request:
            answer = look(request["look"])
        else:
            parent = os.getpid()
            answer = os.fork()
            if answer == 0:
                follow_parent(signal.SIGKILL, parent=parent)
                _take(descriptors, instead_of=owner)
                return Wish(**request["start"])
        for descriptor in descriptors:
            os.close(descriptor)
        owner.sendall(json.dumps(answer).encode())


def look(pid: int) -> int | None:
    """The exit status of a child of this process, and None before its end."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _take(descriptors: Sequence[int], *, instead_of: socket.socket) -> None:
    """Have these for input, output and errors, and no other."""
    instead_of.detach()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def become(wish: Wish) -> None:
    """Run the module in this process, which has its descriptors already."""
    _dress(wish)
    if wish.stem and (wish_for_stem := _plant_stem()):
        _dress(wish_for_stem)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        coverage.process_startup()
    _run(sys.argv[0])


def _run(module: str) -> None:
    """Run it, and end as the interpreter does, without what takes the longest: to take all imported modules apart.

    Each of them is shared with the zygote, so that a touch copies it: a quarter of a second for each process.
    """
    status: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
    if status is not None and not isinstance(status, int):
        sys.stderr.write(f"{status}\n")
        status = 1
    threading._shutdown()  # type: ignore[attr-defined] # it waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((status or 0) & 0xFF)


def _dress(wish: Wish) -> None:
    if wish.new_session:
        os.setsid()
    os.environ.clear()
    os.environ.update(wish.env)
    # As a new interpreter does it.
    sys.path[1:1] = [path for path in wish.env.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path]
    os.chdir(wish.cwd)
    sys.argv = list(wish.command)


def _plant_stem() -> Wish | None:
    """Fork the stem. Returns None in the calling process; in the stem, as soon as there is one, the wish for it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if pid := os.fork():
        theirs.close()
        client.start_server = _Stem(ours, pid).start_server  # type: ignore[assignment] # what is used of Popen is there
        return None
    ours.close()
    message, descriptors, _, _ = socket.recv_fds(theirs, _MOST_BYTES, 3)
    if not message:
        os._exit(0)
    _take(descriptors, instead_of=theirs)
    return Wish(**json.loads(message))


if __name__ == "__main__":
    main()
