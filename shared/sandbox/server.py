"""The fork server: imports what is heavy, then forks one process for each request.

It runs as `python -P -m shared.sandbox.server MODULE:FUNCTION`, with a single thread; its standard input is a socket to
its owner. A request is one JSON message with the socket of that run attached, and maybe another descriptor, which
becomes the standard input of the process. On the socket of the run, the server reports how the process ended; the owner
shuts down its side to have the process killed.

The process that is started first is not the server but its guard. It only waits for the end of the server, or of the
owner, whose socket then closes, and kills what is left of server and runs. So everything that a run started dies with
the run, whichever of owner, guard, server and run is killed first, in whatever session it is, and even if the server is
stopped. If the guard is killed, the server ends its runs and itself.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from resource import struct_rusage

from shared.processes import adopt_orphans, die_with_parent, kill_child, kill_children, kill_group
from shared.sandbox.child import GUARD_DIED, ChildFunction, Terms, become_child
from shared.sandbox.isolation import Reach
from shared.sandbox.limits import READY, ProcessLimits, room_for_memory
from shared.sandbox.run import Run
from shared.sandbox.thread_pools import have_pools_of_threads

# These ask a worker to stop. A terminal or a service manager sends them to all of its processes, but only the worker
# obeys: it decides what becomes of its runs, and ends them by SIGKILL.
_FOR_THE_OWNER = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def main() -> None:
    """Serve until the owner closes its socket."""
    _leave_stopping_to_the_owner()
    have_pools_of_threads()
    guard = os.getpid()
    adopt_orphans()
    server_ended, kept_open = os.pipe()
    if server := os.fork():
        os.close(kept_open)
        _guard(server, server_ended)
    os.close(server_ended)
    if not die_with_parent(GUARD_DIED, parent=guard):
        return
    adopt_orphans()
    owner = socket.socket(fileno=0)
    try:
        entry = _load(sys.argv[1])
    except BaseException:
        # If nobody were told, a failed import would only show as slow or failing jobs.
        owner.sendall(traceback.format_exc().encode())
        raise
    server_loop = ForkServer(owner, entry)
    room = room_for_memory()
    owner.sendall(READY + (b"" if room is None else str(room).encode()))
    server_loop.serve()


def _leave_stopping_to_the_owner() -> None:
    """Ignore the signals that ask to stop, in this process and in all that it forks."""
    for number in _FOR_THE_OWNER:
        signal.signal(number, signal.SIG_IGN)


def _guard(server: int, server_ended: int) -> None:
    """Wait until the owner or the server ends, then kill what is left."""
    ends = select.poll()
    # Requests are for the server: here, only the closing of the other side counts.
    ends.register(0, 0)
    ends.register(server_ended, select.POLLIN)
    ends.poll()
    # The server may be stopped, and then does not end by itself. If it has ended, it is not reaped yet.
    os.kill(server, signal.SIGKILL)
    # As long as this is open, the owner does not notice the death of the server.
    os.close(0)
    _, status = os.waitpid(server, 0)
    kill_children()
    os._exit(0 if status == 0 else 1)


class ForkServer:
    """The event loop: requests, ends of processes, wishes of owners to kill one, and what processes print."""

    def __init__(self, owner: socket.socket, entry: ChildFunction) -> None:
        self.pid = os.getpid()
        self.owner = owner
        self.entry = entry
        self.runs: dict[int, Run] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(owner, selectors.EVENT_READ, self._take_request)
        wake, self._wakeup = socket.socketpair()
        wake.setblocking(False)
        self._wakeup.setblocking(False)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._reap(wake))
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self.serving = True
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(GUARD_DIED, lambda *_: self._stop())

    def serve(self) -> None:
        """Handle events until the owner is gone."""
        while self.serving:
            for key, _ in self.selector.select():
                key.data()
        kill_children()

    def _stop(self) -> None:
        self.serving = False

    def _take_request(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self.owner, 65536, 2)
        if not message:
            self._stop()
            return
        request = json.loads(message)
        news = socket.socket(fileno=descriptors[0])
        given = descriptors[1] if len(descriptors) > 1 else None
        try:
            terms = Terms(Path(request["folder"]), ProcessLimits(**request["limits"]), Reach(**request["reach"]))
            self._fork(news, given, terms)
        except OSError:
            # The process could not be started. Its owner notices by the closed socket; other runs go on.
            traceback.print_exc()
            news.close()
        finally:
            if given is not None:
                # As long as this is open, whoever has the other side does not notice the end of the process.
                os.close(given)
        # The owner waits for this before it sends the next request, so that two messages never arrive as one.
        self.owner.sendall(READY)

    def _fork(self, news: socket.socket, given: int | None, terms: Terms) -> None:
        printed, output = os.pipe()
        try:
            pid = os.fork()
            if pid == 0:
                become_child(self.entry, terms, server=self.pid, given=given, output=output)
        except OSError:
            os.close(printed)
            raise
        finally:
            os.close(output)
        with contextlib.suppress(OSError):
            # Parent and child both do this, so that the group exists before anybody can ask to kill it.
            os.setpgid(pid, pid)
        run = self.runs[pid] = Run(news, printed)
        self.selector.register(news, selectors.EVENT_READ, lambda: self._kill_run(pid))
        self.selector.register(printed, selectors.EVENT_READ, lambda: self._listen(run))
        run.tell({"pid": pid})

    def _kill_run(self, pid: int) -> None:
        # Owners write nothing here, so readable means closed. The socket stays open until the process is reaped. If it
        # was reaped in the same round of events, there is nothing left to kill.
        if (run := self.runs.get(pid)) is not None:
            self.selector.unregister(run.news)
            kill_child(pid)

    def _listen(self, run: Run) -> None:
        # A run that was reaped in the same round of events has been read to its end.
        if run in self.runs.values() and not run.listen():
            self.selector.unregister(run.printed)

    def _reap(self, wake: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            wake.recv(4096)
        ended: list[tuple[Run, int, struct_rusage]] = []
        with contextlib.suppress(ChildProcessError):
            while (news := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, used = news
                if (run := self.runs.pop(pid, None)) is not None:
                    # Kill what the process has left behind in its group.
                    kill_group(pid)
                    ended.append((run, status, used))
            # Other orphans, except runs, are what a run has left behind outside of its group.
            kill_children(but=self.runs)
        for run, status, used in ended:
            for watched in (run.news, run.printed):
                with contextlib.suppress(KeyError):
                    self.selector.unregister(watched)
            run.end(status, used)


def _load(name: str) -> ChildFunction:
    module, _, function = name.partition(":")
    # Imports make hardly any garbage, and looking for it takes a tenth of their time.
    gc.disable()
    entry: ChildFunction = getattr(importlib.import_module(module), function)
    gc.enable()
    return entry


if __name__ == "__main__":
    main()
