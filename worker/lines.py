"""What an attempt says to people, until the database has it."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.jobs.logs import LONGEST_LINE, Line, one_line

_STEP_BYTES = 2**16
_LAST_STEPS = 16
# A computation says a few dozen lines. This bound keeps one that says far more from filling the disk.
_MOST_FILE_BYTES = 2**20
# More than any line needs, as a character of UTF-8 has at most four bytes.
_MOST_LINE_BYTES = 8 * LONGEST_LINE
_LEFT_OUT = b"lines were left out here: more was said at once than a log takes"


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
            # One line more than the log takes, so that it can say that lines were cut.
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


class Tail:
    """The end of a file that another process appends to. Memory and disk stay bounded, whatever is written.

    The file is made and opened here: what the other process puts in its place is never read.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._offset = 0
        self._begun = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._file)

    def read(self) -> list[str]:
        """The lines that have become complete, as far as one step goes."""
        chunk = os.pread(self._file, _STEP_BYTES, self._offset)
        self._offset += len(chunk)
        *complete, self._begun = (self._begun + chunk).split(b"\n")
        size = os.fstat(self._file).st_size
        if size > _MOST_FILE_BYTES:
            if size > self._offset:
                complete, self._begun = [*complete, _LEFT_OUT], b""
            # The other process appends at the new end.
            os.ftruncate(self._file, 0)
            self._offset = 0
        self._begun = self._begun[:_MOST_LINE_BYTES]
        return [line.decode(errors="replace") for line in complete]

    def read_rest(self) -> list[str]:
        """What is left once nobody writes any more, the beginning of a line too."""
        lines = [line for _ in range(_LAST_STEPS) for line in self.read()]
        return [*lines, self._begun.decode(errors="replace")] if self._begun else lines
