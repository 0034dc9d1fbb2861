"""What a sheet tells that its chunks do not show."""

from bisect import bisect_right
from typing import NamedTuple

from shared.tables.notes import Note


class SheetFacts(NamedTuple):
    """What is told of the columns, which of them are to be read as cells of a text file, and where the rows are.

    `runs` says where rows follow each other: for each run its first row, from 0, and that row's number in the sheet.
    """

    notes: dict[str, list[Note]]
    as_text: set[str]
    runs: list[tuple[int, int]]

    def number_of(self, row: int) -> int:
        """The number in the sheet of a row, which is counted from 0 among those with cells."""
        first, number = self.runs[bisect_right(self.runs, row, key=lambda run: run[0]) - 1]
        return number + row - first
