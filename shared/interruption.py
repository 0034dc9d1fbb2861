"""Waits for requests to stop, such as Ctrl-C, and for the ends of children, in a process that looks after others."""

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """While it is entered, signals that ask to stop are only counted."""

    def __init__(self) -> None:
        self.requests = 0
        self._inbox, self._outbox = socket.socketpair()
        self._inbox.setblocking(False)
        self._outbox.setblocking(False)

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._count)
        signal.signal(signal.SIGTERM, self._count)
        # Under nohup the end of the terminal is not a request to stop.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._count)
        # With a handler, the end of a child wakes up `wait` through the socket.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The handlers stay: a late signal must not turn an orderly end into a traceback.
        signal.set_wakeup_fd(-1)
        self._inbox.close()
        self._outbox.close()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Have requests to stop wait until the end of the block. In it, a process is forked."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def forget(self) -> None:
        """In a process that was forked: signals mean there what they mean to a process that has just begun."""
        signal.set_wakeup_fd(-1)
        self._inbox.close()
        self._outbox.close()
        for number in (*_ASKED, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, at most so long."""
        if select.select([self._inbox], [], [], seconds)[0]:
            self._inbox.recv(4096)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.requests += 1
