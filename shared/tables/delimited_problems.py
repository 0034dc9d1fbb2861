"""Finds the line that keeps a file from being a table. It is slow, so it only runs when there is one."""

import csv
from collections.abc import Iterator
from pathlib import Path

from shared.errors import InvalidTable, TableTooLarge
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.text import EndlessLine, TextFile, split_lines

FIELD_BYTES = 2**20
# The parser takes blocks of this size, and a row must fit into one.
ROW_BYTES = 4 * 2**20
_SHOWN_CHARACTERS = 60


def find_problem(path: Path, reading: Reading, limits: TableLimits, *, names: list[str]) -> None:
    """Return if there is no problem that can be told.

    Raises:
        InvalidTable: naming the line with another number of fields than the header, or with an open quote.
        TableTooLarge: naming the line with too long a field.
    """
    csv.field_size_limit(FIELD_BYTES)
    with TextFile(path, reading, limits) as text:
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=reading.delimiter or ",")
        while True:
            start = reader.line_num + 1
            lines.record.clear()
            try:
                record = next(reader)
            except StopIteration:
                return
            except (csv.Error, EndlessLine):
                raise _too_long(start) from None
            if _is_open(lines.record, reading.delimiter or ","):
                raise _open_quote(start, names[min(len(record), len(names)) - 1])
            if sum(map(len, lines.record)) > ROW_BYTES:
                raise _too_long(start)
            if record and len(record) != len(names):
                raise _ragged(start, record, names)


class _Lines:
    """The lines of a text; remembers those of the current record."""

    def __init__(self, text: TextFile) -> None:
        self.record: list[str] = []
        self._lines = split_lines(text, longest=2 * ROW_BYTES)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines).decode("utf-8", "replace")
        self.record.append(line)
        return line


def _is_open(record: list[str], delimiter: str) -> bool:
    """Whether the lines of one record end inside quotes, as only those at the end of the file can."""
    if not any('"' in line for line in record):
        return False
    try:
        list(csv.reader(record, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _ragged(line: int, record: list[str], names: list[str]) -> InvalidTable:
    beginning = ", ".join(record)[:_SHOWN_CHARACTERS]
    if len(record) < len(names):
        hint = f"it ends before column '{names[len(record)]}'. Fill up the line, or quote a field with a line end in it"
    else:
        hint = "quote a field that has the delimiter in it, or remove what is too much"
    return InvalidTable(
        f"Line {line} has {len(record)} fields where the header has {len(names)}: {hint}. It begins: {beginning!r}.",
        errors=[{"loc": ["file", line], "msg": f"{len(record)} fields instead of {len(names)}"}],
    )


def _open_quote(line: int, column: str) -> InvalidTable:
    return InvalidTable(
        f"A quote that is opened in line {line}, column '{column}', is never closed. Close it, or double it if it "
        "belongs to the text.",
        errors=[{"loc": ["file", line, column], "msg": "quote is never closed"}],
    )


def _too_long(line: int) -> TableTooLarge:
    return TableTooLarge(
        f"The row that begins in line {line} is longer than {ROW_BYTES:,} bytes, or a field of it is longer than "
        f"{FIELD_BYTES:,}. Shorten it; a quote that is never closed makes such rows too.",
        errors=[{"loc": ["file", line], "msg": "too long"}],
    )
