"""The cap on jobs that one worker runs at once; its tasks and its poller take from the same."""

import threading


class Slots:
    """So many places for attempts."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, *, seconds: float = 0.0) -> bool:
        """Take a place, if one is free within the time; give it back with `free`."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._taken < self._count, timeout=seconds)
            self._taken += free
            return free

    def free(self) -> None:
        """Give back a place."""
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    def wait_until_all_free(self, *, seconds: float) -> bool:
        """Whether nobody has a place, at the latest after the time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == 0, timeout=seconds)
