"""Things that are lent to one thread at a time, to those who wait in the order in which they came."""

import queue
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Places(Generic[T]):
    """Lends what came back last first, so that of several things few are used while few are needed."""

    def __init__(self, things: Sequence[T]) -> None:
        """The first of `things` is lent first."""
        self._lock = Lock()
        self._free = list(reversed(things))
        self._waiting: deque[queue.SimpleQueue[T]] = deque()

    @contextmanager
    def lent(self, *, seconds: float) -> Iterator[T]:
        """One of the things, for the time of the block.

        Raises:
            TimeoutError: when none came free in time.
        """
        thing = self._take(seconds)
        try:
            yield thing
        finally:
            self._give_back(thing)

    def _take(self, seconds: float) -> T:
        with self._lock:
            if self._free:
                return self._free.pop()
            mine: queue.SimpleQueue[T] = queue.SimpleQueue()
            self._waiting.append(mine)
        try:
            return mine.get(timeout=seconds)
        except queue.Empty:
            with self._lock:
                if mine in self._waiting:
                    self._waiting.remove(mine)
                    raise TimeoutError from None
            # It was given at this very moment.
            return mine.get()

    def _give_back(self, thing: T) -> None:
        with self._lock:
            # Given from hand to hand: free for all, it would go to whoever is fastest, and others might never have it.
            if self._waiting:
                self._waiting.popleft().put(thing)
            else:
                self._free.append(thing)
