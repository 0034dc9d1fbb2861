"""From rows of a text to the lines that they begin in."""

from collections.abc import Collection
from pathlib import Path

from shared.tables.delimited_problems import ROW_BYTES
from shared.tables.dialect import Dialect, records_of
from shared.tables.layout import Layout
from shared.tables.loading import UNLIMITED
from shared.tables.reading import Reading
from shared.tables.text import TextFile, split_lines


def lines_of_rows(path: Path, reading: Reading, layout: Layout, rows: Collection[int]) -> dict[int, int]:
    """The lines of some rows, which are counted from 0, of a text that has been read to its end."""
    wanted = set(rows)
    found: dict[int, int] = {}
    if not wanted:
        return found
    row = -1
    with TextFile(path, reading, UNLIMITED) as text:
        lines = (line.decode("utf-8", "replace") for line in split_lines(text, longest=2 * ROW_BYTES))
        for record in records_of(lines, Dialect.stored(reading)):
            if record.line <= layout.lines or not record.cells:
                continue
            row += 1
            if row in wanted:
                found[row] = record.line
                if len(found) == len(wanted):
                    break
    return found
