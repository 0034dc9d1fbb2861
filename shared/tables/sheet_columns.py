"""From the values in one column of a sheet to Arrow arrays of one type."""

import datetime as dt
from typing import Any

import pyarrow as pa

from shared.tables.findings import FindingCode
from shared.tables.floats import EXACT
from shared.tables.moments import MOMENT
from shared.tables.notes import Note
from shared.tables.reading import Decimal

# Excel keeps no more digits of a number; it sets the others to 0.
_FIFTEEN_DIGITS = 10**15
_TIMES = (dt.time, dt.timedelta)


class SheetColumn:
    """What a column holds, from all of its values; then it makes arrays of them, all of one type.

    `mixed` is the first row, from 0, whose value is of another type than those before it.
    """

    def __init__(self, gap_words: list[str] | None, decimal: Decimal) -> None:
        """`gap_words` are those that were said to count as missing; a number may be one.

        `decimal` is the mark that numbers get among texts, so that all are read alike.
        """
        self.name = ""
        self._decimal = decimal
        self._gaps = frozenset(gap_words or ())
        self.mixed: int | None = None
        self._type: type | None = None
        self._whole = True
        self._long = 0
        self._first_long = (0, 0.0)

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return self._type is None

    @property
    def is_mixed(self) -> bool:
        """Whether values are of several types; all of them are kept as texts then."""
        return self.mixed is not None

    def add(self, values: tuple[Any, ...], row: int) -> None:
        """Take values, of which the first is in this row."""
        for place, value in enumerate(values):
            if self._is_gap(value):
                continue
            kind = _kind(value)
            if self._type is None:
                self._type = kind
            elif kind is not self._type and self.mixed is None:
                self.mixed = row + place
            if kind is float:
                self._add_number(value, row + place)

    def array(self, values: tuple[Any, ...]) -> pa.Array:
        """Some values as an array."""
        cells = [None if self._is_gap(value) else value for value in values]
        if self._type is None:
            return pa.nulls(len(cells))
        if self.is_mixed or self._type is str:
            return pa.array([None if cell is None else self._text(cell) for cell in cells], pa.string())
        if self._type is bool:
            return pa.array(cells, pa.bool_())
        if self._type is dt.datetime:
            return pa.array([cell and _moment(cell) for cell in cells], MOMENT)
        numbers = [None if cell is None else float(cell) for cell in cells]
        return pa.array(numbers, pa.float64()).cast(pa.int64() if self._whole else pa.float64())

    def notes(self) -> list[Note]:
        """What is told of the values."""
        if not self._long:
            return []
        row, number = self._first_long
        detail = (
            f"Excel keeps 15 digits of a number and sets the others to 0; {self._long:,} of the numbers may have had "
            f"more, such as {plain_text(number)}. Format the column as text before codes are entered."
        )
        return [Note(FindingCode.DIGITS_LOST, row, self._long, detail)]

    def _text(self, value: Any) -> str:
        text = plain_text(value)
        return text.replace(".", self._decimal) if type(value) is float else text

    def _is_gap(self, value: Any) -> bool:
        return is_blank(value) or (bool(self._gaps) and plain_text(value) in self._gaps)

    def _add_number(self, number: float, row: int) -> None:
        if self._whole and not (float(number).is_integer() and abs(number) <= EXACT):
            self._whole = False
        if abs(number) >= _FIFTEEN_DIGITS and float(number).is_integer():
            self._first_long = self._first_long if self._long else (row, number)
            self._long += 1


def is_blank(value: Any) -> bool:
    """Whether a cell holds nothing, or nothing that can be seen."""
    return value == "" or (type(value) is str and value.isspace())


def plain_text(value: Any) -> str:
    """A value as a text, without the format that its cell has in Excel."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() and abs(value) <= EXACT else repr(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value.isoformat()) if isinstance(value, dt.date | dt.time) else str(value)


def _kind(value: Any) -> type:
    """The type of a value; those that belong together have one, and times of day are words."""
    kind = type(value)
    if kind is int:
        return float
    if kind in _TIMES:
        return str
    return dt.datetime if kind is dt.date else kind


def _moment(value: dt.date) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
