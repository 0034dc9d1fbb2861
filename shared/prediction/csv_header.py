"""Where the names of the columns are in a CSV file of rows to predict for: the model knows what they should be."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from shared.errors import DuplicateColumns, EmptyTable, InvalidInput, TableTooLarge
from shared.tables.dialect import DELIMITERS, Dialect, Record, delimiter_said, records_of
from shared.tables.header_rows import units_row
from shared.tables.inspected import TableLimits
from shared.tables.names import clean_name

# Among the first rows that hold anything.
_LOOKED_AT = 20
_MOST_NAMES = 20


class FoundHeader(NamedTuple):
    """How lines are parted into cells, the row with the names, the names, and the lines that are left out."""

    dialect: Dialect
    record: Record
    names: list[str]
    skipped_lines: list[int]


def find_names(lines: list[str], dialect: Dialect, columns: Sequence[str], *, cleans: bool) -> FoundHeader:
    """The row that holds most of the columns, with the delimiter that gives most of them.

    `cleans` brings names into the form that those of columns have today, and looks for a title above them, and for a
    row of units below.

    Raises:
        EmptyTable: when no line holds anything.
    """
    said = delimiter_said(lines)
    if said is not None:
        lines = ["\n", *lines[1:]]
    best: tuple[int, int, FoundHeader] | None = None
    for delimiter in [said] if said else dict.fromkeys([dialect.delimiter, *DELIMITERS]):
        tried = dialect._replace(delimiter=delimiter)
        filled = list(islice(_filled(lines, tried), _LOOKED_AT))
        for at, record in enumerate(filled if cleans else filled[:1]):
            names = [clean_name(cell) if cleans else cell.strip() for cell in record.cells]
            rank = (len(set(names) & set(columns)), len(names) if at == 0 else 0)
            if best is None or rank > best[:2]:
                skipped = [each.line for each in filled[:at]]
                units = units_row(filled[at:]) if cleans else None
                skipped += [] if units is None else [units.line]
                best = (*rank, FoundHeader(tried, record, names, skipped))
    if best is None:
        raise EmptyTable("The table is empty. Its first line must hold the names of the columns.")
    return best[2]


def _filled(lines: list[str], dialect: Dialect) -> Iterator[Record]:
    """The rows that hold anything, as far as they can be read; who reads all of them says what is wrong."""
    try:
        for record in records_of(lines, dialect):
            if any(cell.strip() for cell in record.cells):
                yield record
    except csv.Error:
        return


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
