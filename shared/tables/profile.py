"""The profile of one column, put together from chunks."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.columns import Column, ColumnKind
from shared.tables.floats import count_rounded_wholes
from shared.tables.loading import plain
from shared.tables.moments import count_finer_spelled
from shared.tables.values import NEXT, STRINGS, convert, has_codes, has_commas, has_points, without_blanks

_MOST_CATEGORIES = 1_000
_FEW_CATEGORIES = 30
_EXAMPLES = 5
_EXAMPLE_CHARACTERS = 100
# Longer strings are counted by their hash, so that memory stays bounded. No spelling of a number is longer.
_KEPT_CHARACTERS = 40

_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)


class ColumnProfile:
    """What is known of a column after the chunks so far.

    The kind only ever widens: from whole numbers to numbers, from anything to text. What was counted under a
    narrower kind is kept in a form that is also right for the wider one.
    """

    def __init__(
        self, name: str, *, typed: bool, bound: int, decimal_comma: bool = False, rows_before: int = 0
    ) -> None:
        self.name = name
        self._typed = typed
        self._decimal_comma = decimal_comma
        # Whether numbers with a comma, and with a point, were seen so far; a column with both is not one of numbers.
        self._commas = False
        self._points = False
        self._bound = bound
        self._kind: ColumnKind | None = None
        self._rows = rows_before
        self._missing = rows_before
        # As text, `1e999` is a value; as a number it is missing.
        self._missing_as_text = rows_before
        # In a column of whole numbers: how many would be rounded if the column became one of floats.
        self._rounded = 0
        self._distinct: set[Any] = set()
        self._first: list[Any] = []
        self._sums: list[float] = []
        self._min = math.inf
        self._max = -math.inf

    @property
    def is_empty(self) -> bool:
        """Whether no value was seen."""
        return self._missing == self._rows

    def add(self, cells: pa.Array) -> None:
        """Take the next chunk of the column."""
        values = self._widen(cells)
        self._rows += len(cells)
        self._missing += values.null_count
        self._missing_as_text += _blank(cells) if self._kind is ColumnKind.NUMBER else values.null_count
        self._count_rounded(cells, values)
        self._count_distinct(values if pa.types.is_floating(cells.type) else cells)
        if self._kind in _NUMERIC and values.null_count < len(values):
            extremes = pc.min_max(values)
            self._min = min(self._min, extremes["min"].as_py())
            self._max = max(self._max, extremes["max"].as_py())
            # Sums of int64 would overflow without an error.
            self._sums.append(pc.sum(pc.cast(values, pa.float64(), safe=False)).as_py())

    def finish(self) -> Column:
        """The profile of the whole column."""
        kind = self._kind or ColumnKind.NUMBER
        missing = self._missing_as_text if kind is ColumnKind.TEXT else self._missing
        present = self._rows - missing
        unique = self._unique(kind)
        if kind is ColumnKind.TEXT and _is_category(unique, present):
            kind = ColumnKind.CATEGORY
        column = Column(name=self.name, kind=kind, missing=missing, unique=unique, examples=self._examples(kind))
        if kind in {ColumnKind.NUMBER, ColumnKind.DATETIME}:
            column.rounded = self._rounded
        if kind is ColumnKind.NUMBER:
            column.not_finite = self._missing - self._missing_as_text
        if kind in _NUMERIC and present:
            column.min, column.max = float(self._min), float(self._max)
            mean = _mean(self._sums, present)
            column.mean = min(max(mean, column.min), column.max) if math.isfinite(mean) else None
        return column

    def _widen(self, cells: pa.Array) -> pa.Array:
        for kind in NEXT[self._kind]:
            try:
                values = self._converted(cells, kind)
                self._check_writing(cells, kind)
            except pa.ArrowInvalid:
                continue
            # Cells without a value fit everything, so they decide nothing; infinities count as missing, but are
            # numbers.
            if values.null_count < len(values) or _blank(cells) < len(cells):
                self._kind = kind
            return values
        self._kind = ColumnKind.TEXT
        return self._converted(cells, ColumnKind.TEXT)

    def _converted(self, cells: pa.Array, kind: ColumnKind) -> pa.Array:
        return convert(cells, kind, typed=self._typed, decimal_comma=self._decimal_comma)

    def _check_writing(self, cells: pa.Array, kind: ColumnKind) -> None:
        """Refuse strings that could be read as numbers, but would lose or change what they say.

        Raises:
            pa.ArrowInvalid: when a code is among them, or numbers with a comma meet others with a point.
        """
        if kind not in _NUMERIC or not pa.types.is_string(cells.type):
            return
        if has_codes(cells):
            raise pa.ArrowInvalid("a code")
        if kind is ColumnKind.NUMBER and self._decimal_comma:
            commas = has_commas(cells)
            self._commas |= commas
            self._points |= not commas and has_points(cells)
            if self._commas and self._points:
                raise pa.ArrowInvalid("commas and points")

    def _count_rounded(self, cells: pa.Array, values: pa.Array) -> None:
        if self._kind in _NUMERIC:
            self._rounded += count_rounded_wholes(cells, values)
        elif self._kind is ColumnKind.DATETIME and pa.types.is_string(cells.type):
            self._rounded += count_finer_spelled(cells)

    def _count_distinct(self, cells: pa.Array) -> None:
        if len(self._distinct) >= self._bound:
            return
        fresh = pc.unique(cells).slice(0, self._bound + 1).drop_null().to_pylist()
        if len(self._first) < _EXAMPLES:
            self._first += [value for value in fresh[: 4 * _EXAMPLES] if value not in self._first]
        self._distinct.update(
            hash(value) if isinstance(value, str) and len(value) > _KEPT_CHARACTERS else value for value in fresh
        )

    def _unique(self, kind: ColumnKind) -> int:
        if len(self._distinct) >= self._bound:
            return self._bound
        if self._typed and kind is not ColumnKind.DATETIME:
            return len(self._distinct)
        spelled = [value for value in self._distinct if isinstance(value, str)]
        values = self._converted(pa.array(spelled, pa.string()), kind)
        return int(pc.count_distinct(values).as_py()) + len(self._distinct) - len(spelled)

    def _examples(self, kind: ColumnKind) -> list[Any]:
        if self._typed and kind in STRINGS:
            values = [value if isinstance(value, str) else plain(value) for value in self._first]
        else:
            # Chunks of integers may have come before those of floats.
            first = [float(each) if type(each) is int and kind is ColumnKind.NUMBER else each for each in self._first]
            values = self._converted(pa.array(first), kind).drop_null().to_pylist()
        return [_shown(value) for value in list(dict.fromkeys(values))[:_EXAMPLES]]


def _blank(cells: pa.Array) -> int:
    """How many cells hold nothing at all."""
    cells = without_blanks(cells) if pa.types.is_string(cells.type) and cells.null_count < len(cells) else cells
    return int(cells.null_count)


def _is_category(unique: int, present: int) -> bool:
    """Whether strings repeat often enough to be classes rather than texts or identifiers."""
    if unique > _MOST_CATEGORIES or (unique == present and present > 10):
        return False
    return unique <= _FEW_CATEGORIES or unique * 4 <= present


def _mean(sums: list[float], count: int) -> float:
    try:
        return math.fsum(sums) / count
    except (OverflowError, ValueError):
        return math.inf


def _shown(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _EXAMPLE_CHARACTERS:
        return value[: _EXAMPLE_CHARACTERS - 1] + "…"
    return plain(value)
