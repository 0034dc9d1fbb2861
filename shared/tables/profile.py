"""The profile of one column, put together from chunks that are read in one way."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.cells import count_not_finite
from shared.tables.columns import CellReading, Column, ColumnKind, unique_bound
from shared.tables.far_values import Ends
from shared.tables.floats import EXACT, count_rounded_decimals, count_rounded_wholes
from shared.tables.loading import plain
from shared.tables.moments import count_finer_spelled
from shared.tables.notes import Note
from shared.tables.sketch import Sketch
from shared.tables.spread import ColumnSketch
from shared.tables.values import STRINGS

_MOST_CATEGORIES = 1_000
_FEW_CATEGORIES = 30
_EXAMPLES = 5
_EXAMPLE_CHARACTERS = 100
# Longer strings are counted by their hash, so that memory stays bounded.
_KEPT_CHARACTERS = 40

_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)
_ORDERED = (*_NUMERIC, ColumnKind.DATETIME)


class ColumnProfile:
    """What is known of the values of a column after the chunks so far."""

    def __init__(
        self, name: str, reading: CellReading, *, columns: int, kind_is_said: bool = False, rows_before: int = 0
    ) -> None:
        """Profile one of so many `columns` of a table."""
        self.name = name
        self.reading = reading
        self._kind_is_said = kind_is_said
        self._bound = unique_bound(columns)
        self._rows = rows_before
        self._missing = rows_before
        self._not_finite = 0
        self._rounded = 0
        self._distinct: set[Any] = set()
        self._first: list[Any] = []
        self._sums: list[float] = []
        self._sketch = Sketch(columns=columns, rows_before=rows_before)
        self._ends = Ends()

    @property
    def is_empty(self) -> bool:
        """Whether no value was seen."""
        return self._missing == self._rows

    @property
    def is_distinct(self) -> bool:
        """Whether no value was seen twice, as far as they were counted."""
        return len(self._distinct) >= min(self._bound, self._rows - self._missing)

    def add(self, cells: pa.Array, values: pa.Array) -> None:
        """Take the next chunk of the column: its cells as they are in the file, and as they were read."""
        row = self._rows
        self._rows += len(values)
        self._missing += values.null_count
        if self.reading.kind in _ORDERED and values.null_count < len(values):
            self._ends.add(values, row=row, spelled=pa.types.is_string(cells.type))
        if self.reading.kind in _NUMERIC and values.null_count < len(values):
            # Sums of int64 would overflow without an error.
            self._sums.append(pc.sum(pc.cast(values, pa.float64(), safe=False)).as_py())
        self._count_losses(cells, values)
        self._count_distinct(values)
        self._sketch.add(values)

    def finish(self) -> Column:
        """The profile of the whole column."""
        kind = self.reading.kind
        present = self._rows - self._missing
        unique = min(len(self._distinct), self._bound)
        if kind is ColumnKind.TEXT and not self._kind_is_said and _is_category(unique, present):
            kind = ColumnKind.CATEGORY
        column = Column(
            name=self.name,
            kind=kind,
            format=self.reading.format,
            missing=self._missing,
            unique=unique,
            examples=[_shown(value) for value in self._first[:_EXAMPLES]],
            cells=self.reading.model_copy(update={"kind": kind}),
        )
        if kind in {ColumnKind.NUMBER, ColumnKind.DATETIME}:
            column.rounded = self._rounded
        if kind is ColumnKind.NUMBER:
            column.not_finite = self._not_finite
        extremes = self._ends.extremes
        if kind in _NUMERIC and extremes is not None:
            column.min, column.max = extremes
            mean = _mean(self._sums, present)
            column.mean = min(max(mean, column.min), column.max) if math.isfinite(mean) else None
        return column

    def notes(self) -> list[Note]:
        """What the values tell that is to be looked at."""
        return self._ends.notes()

    def sketch(self) -> ColumnSketch:
        """How the values are spread."""
        return self._sketch.finish(self.reading.kind)

    def _count_losses(self, cells: pa.Array, values: pa.Array) -> None:
        """Count the numbers that are not finite, and the values that are not kept to the last digit."""
        if self.reading.kind is ColumnKind.NUMBER:
            self._not_finite += count_not_finite(cells, values, self.reading)
            low, high = self._ends.extremes or (0, 0)
            if max(-low, high) >= EXACT:
                self._rounded += count_rounded_wholes(cells, values)
            if pa.types.is_string(cells.type):
                self._rounded += count_rounded_decimals(cells, values)
        elif self.reading.kind is ColumnKind.DATETIME and pa.types.is_string(cells.type):
            self._rounded += count_finer_spelled(cells)

    def _count_distinct(self, values: pa.Array) -> None:
        if len(self._distinct) >= self._bound:
            return
        fresh = pc.unique(values).slice(0, self._bound + 1).drop_null().to_pylist()
        if len(self._first) < _EXAMPLES:
            self._first += [value for value in fresh[: 4 * _EXAMPLES] if value not in self._first]
        if self.reading.kind in STRINGS:
            fresh = [hash(value) if len(value) > _KEPT_CHARACTERS else value for value in fresh]
        self._distinct.update(fresh)


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
