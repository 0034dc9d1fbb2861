"""Finds the line that keeps a file from being a table. It is slow, so it only runs when there is one."""

import csv
from collections.abc import Iterator
from pathlib import Path

from shared.errors import InvalidTable, TableTooLarge
from shared.tables.dialect import FIELD_BYTES, Dialect, csv_reader
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout
from shared.tables.reading import Reading
from shared.tables.text import EndlessLine, TextFile, split_lines

# The parser takes blocks of this size, and a row must fit into one.
ROW_BYTES = 4 * 2**20
_SHOWN_CHARACTERS = 60


def find_problem(path: Path, reading: Reading, limits: TableLimits, *, names: list[str], layout: Layout) -> None:
    """Return if there is no problem that can be told.

    Raises:
        InvalidTable: naming the line with another number of fields than the header, or with an open quote.
        TableTooLarge: naming the line with too long a field.
    """
    dialect = Dialect.stored(reading)
    with TextFile(path, reading, limits) as text:
        lines = _Lines(text)
        reader = csv_reader(lines, dialect)
        while True:
            start = reader.line_num + 1
            lines.record.clear()
            try:
                record = next(reader)
            except StopIteration:
                return
            except (csv.Error, EndlessLine):
                raise too_long(start) from None
            if _is_open(lines.record, dialect):
                raise unclosed(start, names[min(len(record), len(names)) - 1])
            if sum(map(len, lines.record)) > ROW_BYTES:
                raise too_long(start)
            if record and start > layout.lines and len(record) != len(names):
                raise ragged(start, record, names, added=layout.added)


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


def _is_open(record: list[str], dialect: Dialect) -> bool:
    """Whether the lines of one record end inside quotes, as only those at the end of the file can."""
    if dialect.quote is None or not any(dialect.quote in line for line in record):
        return False
    try:
        list(csv_reader(record, dialect, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def ragged(line: int, record: list[str], names: list[str], *, added: bool = False) -> InvalidTable:
    """The error of a row with another number of fields than there are names."""
    beginning = ", ".join(record)[:_SHOWN_CHARACTERS]
    where = "header"
    if added and len(record) == len(names) - 1:
        where, hint = "first row", "end all rows with the delimiter, or none of them"
    elif len(record) < len(names):
        hint = (
            f"it ends before column '{names[len(record)]}'. Fill up the line, remove it if it is no row, or quote a "
            "field with a line end in it"
        )
    else:
        hint = "quote a field that has the delimiter in it, or remove what is too much"
    fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
    return InvalidTable(
        f"Line {line} has {fields} where the {where} has {len(names)}: {hint}. It begins: {beginning!r}.",
        errors=[{"loc": ["file", line], "msg": f"{fields} instead of {len(names)}"}],
    )


def unclosed(line: int, column: str) -> InvalidTable:
    """The error of a quote that is open at the end of the file."""
    return InvalidTable(
        f"A quote that is opened in line {line}, column '{column}', is never closed. Close it, or double it if it "
        "belongs to the text.",
        errors=[{"loc": ["file", line, column], "msg": "quote is never closed"}],
    )


def too_long(line: int) -> TableTooLarge:
    """The error of a row or field that is over the limit."""
    return TableTooLarge(
        f"The row that begins in line {line} is longer than {ROW_BYTES:,} bytes, or a field of it is longer than "
        f"{FIELD_BYTES:,}. Shorten it; a quote that is never closed makes such rows too.",
        errors=[{"loc": ["file", line], "msg": "too long"}],
    )
