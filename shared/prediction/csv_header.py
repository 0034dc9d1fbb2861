"""The names of the columns of a CSV file of rows to predict for."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.errors import DuplicateColumns, EmptyTable, InvalidInput, InvalidTable, TableTooLarge
from shared.tables.dialect import DELIMITERS
from shared.tables.inspected import TableLimits

# A header of more lines than this is a quote that nobody closed.
_MOST_HEADER_LINES = 100
_MOST_NAMES = 20
# Spreadsheets write and obey such a first line.
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


class HeaderLines(NamedTuple):
    """The lines with the names, the number of the last of them, and the delimiter if a line before tells it."""

    lines: list[str]
    line_count: int
    delimiter: str | None


def header_lines(lines: Iterator[str]) -> HeaderLines:
    """The beginning of a file up to the end of its header.

    Raises:
        EmptyTable: when there is none.
        InvalidTable: when a quote in it is never closed.
    """
    found: list[str] = []
    quotes, delimiter = 0, None
    for count, line in enumerate(lines, start=1):
        told = _SEPARATOR.fullmatch(line.strip("\r\n ")) if not found and delimiter is None else None
        if told is not None:
            delimiter = told[1]
            continue
        if not found and not line.strip():
            continue
        found.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            return HeaderLines(found, count, delimiter)
        if len(found) == _MOST_HEADER_LINES:
            break
    if not found:
        raise EmptyTable("The table is empty. Its first line must hold the names of the columns.")
    raise InvalidTable('The first line has a quote (") that is never closed. Close it, or double it.')


def split_names(lines: list[str], columns: Sequence[str], delimiter: str | None) -> tuple[str, list[str]]:
    """The delimiter, by which most of the columns are found unless it is given, and the names that it gives."""
    found = []
    for each in [delimiter] if delimiter else DELIMITERS:
        names = [cell.strip() for cell in next(row for row in csv.reader(lines, delimiter=each) if row)]
        found.append((len(set(names) & set(columns)), len(names), each, names))
    _, _, chosen, names = max(found, key=lambda one: one[:2])
    return chosen, names


def check_names(header: list[str], columns: Sequence[str], limits: TableLimits, *, model: str) -> None:
    """Refuse a header that is too long, has a name twice, or none of the columns that the model takes.

    Raises:
        TableTooLarge, DuplicateColumns, InvalidInput: saying which.
    """
    if len(header) > limits.max_columns:
        raise TableTooLarge(f"The table has {len(header):,} columns, the limit is {limits.max_columns:,}.")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise DuplicateColumns(f"There is more than one column of the name '{name}'. Rename or remove one.")
    if not set(header) & set(columns):
        raise InvalidInput(
            f"The table has none of the columns that the {model} takes: {', '.join(columns[:_MOST_NAMES])}. "
            f"Its first line must hold their names; it holds {', '.join(header[:_MOST_NAMES])[:200]}."
        )
