"""What an attempt says to people, until the database has it."""

import threading
from collections.abc import Sequence

from shared.jobs.lines import Line, one_line


class Lines:
    """The lines of one attempt that are not written yet; one thread adds, another writes and then forgets them."""

    def __init__(self, *, most: int) -> None:
        """`most` is how many lines a log may have: what is said beyond them is not kept here either."""
        self._most = most
        self._said = 0
        self._waiting: list[Line] = []
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Add one line."""
        with self._lock:
            self._said += 1
            # One more than there is room for: from it the log knows that something was cut.
            if self._said <= self._most + 1:
                self._waiting.append(Line(self._said, one_line(text)))

    def waiting(self, *, limit: int) -> list[Line]:
        """The oldest lines that are not written yet."""
        with self._lock:
            return self._waiting[:limit]

    def waiting_and(self, text: str) -> list[Line]:
        """All lines that are not written yet and a last one, which is not kept: the attempt may end in another way."""
        with self._lock:
            return [*self._waiting, Line(self._said + 1, one_line(text))]

    def forget(self, written: Sequence[Line]) -> None:
        """Drop lines that the database has."""
        with self._lock:
            numbers = {line.number for line in written}
            self._waiting = [line for line in self._waiting if line.number not in numbers]
