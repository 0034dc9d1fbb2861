"""The names of the columns, made usable or refused."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator

from shared.errors import DuplicateColumns, EmptyTable, InvalidTable, TableTooLarge
from shared.tables.controls import find_control
from shared.tables.delimited_problems import FIELD_BYTES
from shared.tables.inspected import TableLimits

LONGEST_COLUMN_NAME = 256

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")


def settle_names(raw: list[str], limits: TableLimits) -> list[str]:
    """The names without blanks around them; a column without a name is called `column_<position>`.

    Raises:
        EmptyTable: when there is no column.
        TableTooLarge: when there are too many, or a name is too long.
        DuplicateColumns: naming those that appear twice.
        InvalidTable: when a name holds a control character.
    """
    if not raw:
        raise EmptyTable("The table has no columns.")
    if len(raw) > limits.max_columns:
        raise TableTooLarge(
            f"The table has {len(raw):,} columns, the limit is {limits.max_columns:,}. Upload those that you need, "
            "or have MLMINI_TABLE_MAX_COLUMNS raised.",
            limit=limits.max_columns,
            setting="MLMINI_TABLE_MAX_COLUMNS",
        )
    # Before `strip`, which would remove some control characters as blanks.
    for position, name in enumerate(raw, start=1):
        if not limits.controls and (control := find_control(name)):
            raise InvalidTable(
                f"The name of column {position} holds {control.name}, which no name here can hold. Rename the column.",
                errors=[{"loc": ["file", position], "msg": control.name}],
            )
    names = [name.strip() or f"column_{position}" for position, name in enumerate(raw, start=1)]
    positions: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names, start=1):
        if len(name) > LONGEST_COLUMN_NAME:
            raise TableTooLarge(
                f"The name of column {position} has {len(name):,} characters, the limit is {LONGEST_COLUMN_NAME}. "
                "Shorten it.",
                limit=LONGEST_COLUMN_NAME,
            )
        positions[name].append(position)
    twice = {name: where for name, where in positions.items() if len(where) > 1}
    if twice:
        raise _duplicates(twice)
    return names


def refuse_data_as_header(names: list[str]) -> None:
    """Find a table without a header, whose first row would silently become the names.

    Whole numbers are common names (`0, 1, 2` of an array, years), but fractions are data.

    Raises:
        InvalidTable: when at least half of the names are numbers and one of them has a fraction.
    """
    numbers = [name for name in names if _NUMBER.fullmatch(name.strip())]
    if 2 * len(numbers) >= len(names) and any("." in number or "," in number for number in numbers):
        raise InvalidTable(
            f"Line 1 holds data ({', '.join(names[:4])}{', …' if len(names) > 4 else ''}) where the names of the "
            "columns should be. Add a first line with the names."
        )


def parse_records(lines: list[bytes], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The records of some lines of UTF-8 that are not blank, each with the count of lines up to its end.

    The lines are the beginning of a file, 1 MiB at most, so that no field of theirs is over the limit.
    """
    csv.field_size_limit(FIELD_BYTES)
    reader = csv.reader((line.decode("utf-8", "replace") for line in lines), delimiter=delimiter)
    for record in reader:
        if record:
            yield record, reader.line_num


def _duplicates(twice: dict[str, list[int]]) -> DuplicateColumns:
    shown = [f"'{name}' (columns {', '.join(map(str, where))})" for name, where in list(twice.items())[:20]]
    return DuplicateColumns(
        f"Each column needs a name of its own, but some appear more than once: {'; '.join(shown)}. "
        "Rename or remove them; the first line must hold the names.",
        errors=[
            {"loc": ["file", name], "msg": f"columns {', '.join(map(str, where))} have this name"}
            for name, where in twice.items()
        ],
    )
