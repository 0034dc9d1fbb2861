"""Strings in the JSON of a request: read as the cells of the table were, so that they mean what they meant there.

Tables that tell strings from numbers themselves take no string for a number, unless that was said of the column at the
upload; those of older releases take none.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from shared.estimators.signature import InputColumn, Signature
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.controls import find_control

_WORDS = frozenset({"category", "text"})


class _Cell(NamedTuple):
    row: int
    position: int
    text: str


def take_strings(
    signature: Signature, rows: list[list[Any]], warnings: InputWarnings, *, numbers: Sequence[int]
) -> None:
    """Put the values of strings into rows of the right shape; a string that is no such cell stays, to be refused.

    `numbers` are what warnings call the rows.
    """
    waiting: dict[CellReading, list[_Cell]] = {}
    for position, column in enumerate(signature.inputs):
        if column.used and (reading := reading_of_strings(column)) is not None:
            _spell_truths(column, position, rows)
            # Categories are what the reader makes of cells, so it leaves them as they are.
            known = column.all_categories or frozenset()
            cells = [
                _Cell(at, position, row[position])
                for at, row in enumerate(rows)
                if isinstance(row[position], str) and row[position] not in known and _is_text(row[position])
            ]
            if cells:
                waiting.setdefault(reading, []).extend(cells)
    for reading, cells in waiting.items():
        _read(signature, reading, cells, rows, warnings, numbers=numbers)


def _read(
    signature: Signature,
    reading: CellReading,
    cells: list[_Cell],
    rows: list[list[Any]],
    warnings: InputWarnings,
    *,
    numbers: Sequence[int],
) -> None:
    from shared.prediction.texts import read_texts

    found = read_texts([cell.text for cell in cells], reading)
    stay = set(found.wrong)
    for at in found.not_finite:
        column = signature.inputs[cells[at].position]
        if column.missing_allowed:
            warnings.add(WarningKind.NOT_FINITE, numbers[cells[at].row], column.name)
        else:
            stay.add(at)
    for at, cell in enumerate(cells):
        if at not in stay:
            rows[cell.row][cell.position] = found.values[at]


def taken_as_they_are(column: InputColumn, words: Iterable[str]) -> list[str]:
    """The words, of some, that are values of a column just as they are written."""
    from shared.prediction.texts import read_texts

    texts = [word for word in words if _is_text(word)]
    reading = reading_of_strings(column)
    if reading is None:
        return texts
    values = read_texts(texts, reading).values
    return [text for text, value in zip(texts, values, strict=True) if value == text]


def reading_of_strings(column: InputColumn) -> CellReading | None:
    """How strings are read for a column; None where they are taken or refused as they are."""
    cells = column.cells
    if cells is None or (cells.typed and column.kind not in _WORDS and column.kind != "datetime"):
        return None
    return _of_numbers(cells) if column.kind == "integer" else cells


@lru_cache(maxsize=1024)
def _of_numbers(cells: CellReading) -> CellReading:
    return cells.model_copy(update={"kind": ColumnKind.NUMBER})


def _spell_truths(column: InputColumn, position: int, rows: list[list[Any]]) -> None:
    """Turn booleans into the words that they became in a table which mixes them with others."""
    if column.kind in _WORDS and column.cells is not None and column.cells.typed:
        for row in rows:
            if isinstance(row[position], bool) and (word := str(row[position]).lower()) in (column.categories or ()):
                row[position] = word


def _is_text(value: str) -> bool:
    """Whether a table may hold it; else it is refused as it is."""
    if find_control(value) is not None:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
