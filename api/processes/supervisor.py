"""Forks the processes of one address, starts again those that end, and stops all of them together.

It has no threads and no event loop, so that a process can be forked from it at any moment. The imports are done before
the first one, so that their memory is shared.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from api.processes.board import Board, Slate
from shared.interruption import Interruption
from shared.listening import listen_beside
from shared.logging import get_logger
from shared.processes import follow_parent

log = get_logger(__name__)

# A process that ends so soon has not come to serve, or not for long.
SOON_SECONDS = 10.0
# How long nothing is started in its place when it was not the first time; twice as long each time.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# How often there is a look at processes that start. Their end is noticed at once.
_LOOK_SECONDS = 0.05
_IDLE_SECONDS = 60.0
# More than a process needs to let its requests end, and to close its parts.
_STOP_SECONDS = 20.0

Serve = Callable[[int, socket.socket], int]


@dataclass
class _Member:
    """The place of one process: its socket, the process that has it now, and when the next one may begin."""

    number: int
    slate: Slate
    listener: socket.socket | None = None
    pid: int | None = None
    began: float = 0.0
    soon: int = 0
    due: float = 0.0

    def note_end(self) -> float:
        """The process has ended; for how long none may be started in its place."""
        now = time.monotonic()
        self.pid = None
        self.slate.leave()
        self.soon = self.soon + 1 if now - self.began < SOON_SECONDS else 0
        pause = min(_FIRST_PAUSE * 2 ** min(self.soon - 2, 8), _LONGEST_PAUSE) if self.soon > 1 else 0.0
        self.due = now + pause
        return pause


class Supervisor:
    """The process that all others are forked from."""

    def __init__(self, listener: socket.socket, board: Board, *, serve: Serve) -> None:
        """`serve` is what each process does, given its number and its socket; it returns the exit status."""
        self._members = [_Member(number, slate) for number, slate in enumerate(board.slates)]
        self._members[0].listener = listener
        self._board = board
        self._serve = serve
        self._has_served = False
        # Ends when this process does: for systems whose kernel does not tell of that.
        self._lifeline, self._alive = os.pipe()

    def run(self) -> int:
        """Look after the processes until asked to stop, or until the first one cannot start; the exit status."""
        with Interruption() as interruption:
            while not interruption.requests:
                failed = self._reap()
                if failed:
                    return failed
                wait = self._start_due(interruption)
                interruption.wait(wait)
            self._stop(interruption)
        return 0

    def _start_due(self, interruption: Interruption) -> float:
        """Start what is due, and tell for how long nothing else will be."""
        self._has_served = self._has_served or self._board.serving > 0
        # What keeps one from starting keeps all others, too: it is told once.
        wanted = self._members if self._has_served else self._members[:1]
        now = time.monotonic()
        for member in wanted:
            if member.pid is None and member.due <= now:
                self._start(member, interruption)
        if not self._has_served:
            return _LOOK_SECONDS
        return min((member.due - now for member in wanted if member.pid is None), default=_IDLE_SECONDS)

    def _start(self, member: _Member, interruption: Interruption) -> None:
        listener = member.listener or listen_beside(self._some_listener())
        member.listener = listener
        if member.began:
            member.slate.count_restart()
        member.began = time.monotonic()
        parent = os.getpid()
        with interruption.held_back():
            member.pid = os.fork()
            if member.pid == 0:
                # Before signals are let in again, which are for this process now.
                interruption.forget()
        if member.pid == 0:
            self._become(member, listener, parent=parent)
        log.info("api_process_started", process=member.number, pid=member.pid)

    def _become(self, member: _Member, listener: socket.socket, *, parent: int) -> NoReturn:
        """What a new process does."""
        follow_parent(signal.SIGKILL, parent=parent)
        os.close(self._alive)
        threading.Thread(target=_end_with, args=[self._lifeline], name="lifeline", daemon=True).start()
        for other in self._members:
            # Held here, too, the socket of a process that is not to be started for a while could not be closed.
            if other.listener is not None and other is not member:
                other.listener.close()
        sys.exit(self._serve(member.number, listener))

    def _some_listener(self) -> socket.socket:
        # There always is one: `_leave_to_others` leaves those of processes that serve.
        return next(member.listener for member in self._members if member.listener is not None)

    def _reap(self) -> int:
        """Note which processes have ended; the exit status if the first one could not start, else 0."""
        for member in self._members:
            if member.pid is None:
                continue
            pid, status = os.waitpid(member.pid, os.WNOHANG)
            if not pid:
                continue
            served = member.slate.serves
            pause = member.note_end()
            if not (self._has_served or served):
                return max(1, os.waitstatus_to_exitcode(status))
            self._has_served = True
            log.warning(
                "api_process_ended", process=member.number, pid=pid, ending=_ending(status), next_start_seconds=pause
            )
            if pause:
                self._leave_to_others(member)
        return 0

    def _leave_to_others(self, member: _Member) -> None:
        """Have the others take the connections of a process that is not started for a while."""
        if self._board.serving and member.listener is not None:
            member.listener.close()
            member.listener = None

    def _stop(self, interruption: Interruption) -> None:
        """Ask all to stop, take no more connections, and wait; a second request ends what is left."""
        asked, deadline = interruption.requests, time.monotonic() + _STOP_SECONDS
        self._signal(signal.SIGTERM)
        for member in self._members:
            if member.listener is not None:
                member.listener.close()
        while self._living() and interruption.requests == asked and time.monotonic() < deadline:
            interruption.wait(deadline - time.monotonic())
        self._signal(signal.SIGKILL)
        while self._living():
            interruption.wait(_LOOK_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        # A child that nobody has reaped keeps its id.
        for member in self._members:
            if member.pid is not None:
                os.kill(member.pid, number)

    def _living(self) -> bool:
        for member in self._members:
            if member.pid is not None and os.waitpid(member.pid, os.WNOHANG)[0]:
                member.pid = None
        return any(member.pid is not None for member in self._members)


def _end_with(lifeline: int) -> None:
    """Kill this process when the one that forked it has ended."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
