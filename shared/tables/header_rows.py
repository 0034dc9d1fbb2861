"""Tells rows of data and rows of units from names."""

import re
from collections.abc import Iterable, Sequence

from shared.tables.dates import moment_of
from shared.tables.dialect import Record, is_typed
from shared.tables.missing import MISSING, NO_VALUE

_LONGEST_UNIT = 20
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,15}")
YEARS = range(1800, 2201)
_RULE = re.compile(r":?-{2,}:?|[-=+]{3,}")
_GAPS = frozenset((*MISSING, *NO_VALUE))


def columns_of(body: Iterable[Record], width: int) -> list[tuple[str, ...]]:
    """The trimmed cells of each column, from the rows that have so many cells."""
    rows = [[cell.strip() for cell in record.cells] for record in body if len(record.cells) == width]
    return list(zip(*rows, strict=True))


def _trimmed(cell: str) -> str:
    return cell.strip().strip("\ufeff").strip()


def _is_date(cell: str) -> bool:
    return not cell.isdecimal() and (_is_moment(cell, "dmy") or _is_moment(cell, "mdy"))


def _is_moment(cell: str, form: str) -> bool:
    try:
        return moment_of(cell, form) is not None
    except (ValueError, OverflowError):
        return False


def _present(cells: Iterable[str]) -> list[str]:
    return [cell for cell in cells if cell not in _GAPS]


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether nearly all cells that hold something look like numbers or dates."""
    present = _present(cells)
    return bool(present) and sum(map(is_typed, present)) * 10 >= 9 * len(present)


def is_data(cells: list[str], body: list[Record]) -> bool:
    """Whether a first line is a row like those below it.

    Whole numbers are common names: `0, 1, 2` of an array, or years.
    """
    names = [_trimmed(cell) for cell in cells]
    # A line that repeats the names is one more header.
    columns = columns_of((row for row in body if [_trimmed(cell) for cell in row.cells] != names), len(cells))
    if not columns:
        return False
    if any(_is_date(name) and _are_dates(column) for name, column in zip(names, columns, strict=True)):
        return True
    numeric = [at for at, column in enumerate(columns) if is_numeric(column)]
    if not numeric:
        below = [name in column for name, column in zip(names, columns, strict=False) if name]
        return 2 * sum(below) >= len(names)
    numbers = {at: name for at, name in enumerate(names) if _NUMBER.fullmatch(name)}
    if all(map(_WHOLE.fullmatch, numbers.values())):
        return _are_values(numbers, columns, alone=sum(map(bool, names)) == 1)
    return 2 * len(numbers) >= min(len(names), len(numeric))


def _are_values(numbers: dict[int, str], columns: list[tuple[str, ...]], *, alone: bool) -> bool:
    """Whether whole numbers of a first line, by their place, are values; `alone` says that there is no other name."""
    below = [_present(columns[at]) for at in numbers]
    if all(map(_is_year, numbers.values())):
        return bool(numbers) and all(cells and all(map(_is_year, cells)) for cells in below)
    # A single number beside words is the first cell of a row, as a table with numbered rows has it.
    if (len(numbers) > 1 or alone) and _is_sequence([int(name) for name in numbers.values()]):
        return False
    return any(cells and all(map(_WHOLE.fullmatch, cells)) for cells in below)


def _are_dates(cells: Iterable[str]) -> bool:
    present = _present(cells)
    return bool(present) and all(map(_is_date, present))


def _is_year(cell: str) -> bool:
    return cell.isdecimal() and int(cell[:5]) in YEARS


def _is_sequence(numbers: list[int]) -> bool:
    """Whether whole numbers number the columns."""
    low, high = min(numbers), max(numbers)
    return low in {0, 1} and high - low + 1 == len(set(numbers)) == len(numbers)


def is_rule(record: Record) -> bool:
    """Whether a row only draws a line, as in Markdown."""
    cells = [cell.strip() for cell in record.cells if cell.strip()]
    return bool(cells) and all(map(_RULE.fullmatch, cells))


def goes_on(cells: list[str], body: list[Record]) -> bool:
    """Whether the second line has words for columns of numbers that have no name in the first."""
    columns = columns_of(body[1:], len(cells))
    if len(cells) != len(body[0].cells) or sum(bool(cell.strip()) for cell in cells) < 2:
        return False
    lacking = [at for at, column in enumerate(columns) if at and not cells[at].strip() and is_numeric(column)]
    return bool(lacking) and all(_is_word(body[0].cells[at].strip()) for at in lacking)


def stands_apart(filled: list[Record], at: int) -> bool:
    """Whether a row with words, above numbers, comes behind a blank line and others that are no numbers there."""
    if at < 2 or filled[at].line == filled[at - 1].last_line + 1:
        return False
    width = len(filled[at].cells)
    above, below = columns_of(filled[1:at], width), columns_of(filled[at + 1 :], width)
    return any(is_numeric(rows) and all(map(_is_word, words)) for words, rows in zip(above, below, strict=False))


def _is_word(cell: str) -> bool:
    return bool(cell) and cell not in _GAPS and not is_typed(cell)


def units_row(filled: list[Record]) -> Record | None:
    """The record behind the header if it holds units, above columns that hold numbers."""
    if len(filled) < 4 or len(filled[1].cells) != len(filled[0].cells):
        return None
    record, columns = filled[1], columns_of(filled[2:], len(filled[1].cells))
    if not columns:
        return None
    units, others = 0, 0
    for cell, column in zip(map(str.strip, record.cells), columns, strict=True):
        if is_numeric(column):
            if not cell or cell in _GAPS or is_typed(cell) or len(cell) > _LONGEST_UNIT:
                return None
            units += 1
        elif cell and cell in column:
            return None
        else:
            others += bool(cell)
    # A row of which one number is a word is a row still.
    return record if units > bool(others) else None
