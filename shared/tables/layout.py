"""Where the rows of a delimited text begin, and what its columns are called there."""

from typing import NamedTuple

from shared.errors import EmptyTable, InvalidTable, TableTooLarge
from shared.tables.dialect import Dialect, Record, records_of
from shared.tables.reading import Reading


class Layout(NamedTuple):
    """The names as they are written, the bytes and lines before the first row, and how the names came about.

    `added` says that the rows have a delimiter at their end and so a last column that the header does not have, `given`
    that the names are not in the file.
    """

    names: list[str]
    consumed: int
    lines: int
    added: bool
    given: bool


def layout_of(head: bytes, reading: Reading, *, longest: int) -> Layout:
    """The layout of a text that begins with `head`, at most `longest` bytes.

    Raises:
        EmptyTable: when there is no line with names.
        InvalidTable: when the line of names is not there.
        TableTooLarge: when that line does not end within the head.
    """
    lines = head.splitlines(keepends=True)
    records = [
        record
        for record in records_of((line.decode("utf-8", "replace") for line in lines), Dialect.stored(reading))
        if record.cells
    ]
    if not records:
        raise EmptyTable("The file is empty. The first line must hold the names of the columns.")
    names, last_line, rows = _names_and_rows(records, reading)
    consumed = sum(map(len, lines[:last_line]))
    if consumed == len(head) >= longest:
        raise TableTooLarge(
            "The line with the names of the columns is longer than 1 MiB. Check how the lines of the file end.",
            limit=longest,
        )
    return _fitted(names, rows, consumed=consumed, lines=last_line, given=reading.names is not None)


def _names_and_rows(records: list[Record], reading: Reading) -> tuple[list[str], int, list[Record]]:
    """The names, the last line before the first row, and the rows of the head."""
    if reading.rules == 1:
        return records[0].cells, records[0].last_line, records[1:]
    at = -1
    if reading.names is None:
        at = next((at for at, record in enumerate(records) if record.line == reading.header_line), -1)
        if at < 0:
            raise InvalidTable(f"The file has no line {reading.header_line} with the names of the columns.")
    names = reading.names if reading.names is not None else records[at].cells
    while at + 1 < len(records) and records[at + 1].line in reading.skipped_lines:
        at += 1
    return names, records[at].last_line if at >= 0 else 0, records[at + 1 :]


def _fitted(names: list[str], rows: list[Record], *, consumed: int, lines: int, given: bool) -> Layout:
    """The layout with a name for each cell of the first row, where a delimiter at a line's end makes a difference."""
    first = rows[0].cells if rows else []
    if not given and len(first) == len(names) + 1 and not first[-1].strip():
        return Layout([*names, ""], consumed, lines, added=True, given=given)
    if not given and len(first) == len(names) - 1 and not names[-1].strip():
        names = names[:-1]
    return Layout(names, consumed, lines, added=False, given=given)
