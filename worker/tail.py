"""Reads what the computing process says to people, while it says it."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.jobs.lines import LONGEST_LINE

_STEP_BYTES = 2**16
_LAST_STEPS = 16
# A computation says some dozens of lines. One that goes beyond this would fill the disk.
_MOST_FILE_BYTES = 2**20
# What no line needs: UTF-8 has up to four bytes for each character.
_MOST_LINE_BYTES = 8 * LONGEST_LINE
_LEFT_OUT = b"lines were left out here: more was said at once than a log takes"


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
            # Whoever appends goes on at the new end.
            os.ftruncate(self._file, 0)
            self._offset = 0
        self._begun = self._begun[:_MOST_LINE_BYTES]
        return [line.decode(errors="replace") for line in complete]

    def read_rest(self) -> list[str]:
        """What is left once nobody writes any more, the beginning of a line too."""
        lines = [line for _ in range(_LAST_STEPS) for line in self.read()]
        return [*lines, self._begun.decode(errors="replace")] if self._begun else lines
