"""What has changed between two tables that were read before, column by column, from rows evenly taken of both."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.cells import cells_of
from shared.tables.columns import CellReading, Column, ColumnKind, unique_bound
from shared.tables.compared import (
    BothHistograms,
    BothShares,
    ColumnDrift,
    FewOfMany,
    Measure,
    ReadingChange,
    TableDrift,
    TableFile,
)
from shared.tables.drift import (
    LEAST_ROWS,
    Counts,
    Numbers,
    counts_of_numbers,
    counts_of_values,
    index_of,
    largest_distance,
)
from shared.tables.loading import plain, typed_chunks
from shared.tables.reading import Reading
from shared.tables.sketch import Sketch, binned, numbers_of, shortened
from shared.tables.values import STRINGS

_NUMBERS = {ColumnKind.INTEGER, ColumnKind.NUMBER}
_SHARED = {ColumnKind.CATEGORY, ColumnKind.BOOLEAN}
_MOST_SHOWN = 10


class _Side:
    """One column of one of the tables: the values of some rows, and all values that it has, if they are few."""

    def __init__(self, column: Column, reading: Reading, *, columns: int) -> None:
        self.column = column
        self.cells = cells_of(column, reading)
        self._sketch = Sketch(columns=columns)
        self._bound = unique_bound(columns)
        self._distinct: set[Any] = set()
        self._values: pa.Array = pa.nulls(0)

    def add(self, values: pa.Array) -> None:
        self._sketch.add(values)
        if self.column.kind in _SHARED and len(self._distinct) <= self._bound:
            self._distinct.update(pc.unique(values).slice(0, self._bound + 2).drop_null().to_pylist())

    def finish(self) -> None:
        kept = self._sketch.kept()
        self._values = pa.nulls(0) if kept is None else kept

    @property
    def rows(self) -> int:
        return len(self._values)

    @property
    def gaps(self) -> int:
        return int(self._values.null_count)

    @property
    def distinct(self) -> set[Any] | None:
        """All values of a category; None where they are too many."""
        return self._distinct if len(self._distinct) <= self._bound else None

    def numbers(self) -> Numbers:
        """The values as numbers: those of texts are their lengths."""
        values = self._values.drop_null()
        if not len(values):
            return np.empty(0)
        if self.column.kind in STRINGS:
            lengths: Numbers = pc.utf8_length(values).to_numpy().astype(np.float64)
            return lengths
        return numbers_of(values, self.column.kind)

    def counted(self) -> Counter[Any]:
        counts = pc.value_counts(self._values.drop_null()).to_pylist()
        return Counter({each["values"]: each["counts"] for each in counts})


def compare_tables(before: TableFile, after: TableFile) -> TableDrift:
    """How far the columns that both tables have moved from the first to the second.

    Raises:
        InvalidTable: when the bytes of one are not the ones that were checked.
    """
    names = {column.name for column in before.columns} & {column.name for column in after.columns}
    rows, sides = _read(before, names)
    others, other_sides = _read(after, names)
    return TableDrift(
        looked_at=(rows, others),
        columns={name: _compared(sides[name], other_sides[name]) for name in sides},
    )


def _read(table: TableFile, names: set[str]) -> tuple[int, dict[str, _Side]]:
    columns = [column for column in table.columns if column.name in names]
    sides = {column.name: _Side(column, table.reading, columns=len(columns)) for column in columns}
    if sides:
        for batch in typed_chunks(table.path, table.reading, columns):
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                sides[name].add(values)
    for side in sides.values():
        side.finish()
    return max((side.rows for side in sides.values()), default=0), sides


def _compared(before: _Side, after: _Side) -> ColumnDrift:
    found = ColumnDrift(changes=_changes(before, after))
    if before.column.kind in _SHARED and after.column.kind in _SHARED:
        found.new_values = _only_in(after, before)
        found.vanished_values = _only_in(before, after)
    measure = _measure(before.column, after.column)
    if measure is None:
        found.not_measured = "Its kinds cannot be compared."
    elif "identifier" in {before.column.role, after.column.role}:
        found.not_measured = "It numbers the rows."
    elif min(before.rows, after.rows) < LEAST_ROWS:
        found.not_measured = f"One version has fewer than {LEAST_ROWS} rows, which tells nothing."
    else:
        found.measured = measure
        counts = _of_values(found, before, after) if measure == "shares" else _of_numbers(found, before, after)
        index = index_of(*(np.append(each, side.gaps) for each, side in zip(counts, (before, after), strict=True)))
        found.psi, found.chance, found.drift = index.psi, index.chance, index.word
    return found


def _measure(before: Column, after: Column) -> Measure | None:
    kinds = {before.kind, after.kind}
    if kinds <= _NUMBERS or kinds == {ColumnKind.DATETIME}:
        return "numbers"
    if kinds <= STRINGS:
        return "shares" if kinds == {ColumnKind.CATEGORY} else "lengths"
    return "shares" if kinds == {ColumnKind.BOOLEAN} else None


def _of_numbers(found: ColumnDrift, before: _Side, after: _Side) -> tuple[Counts, Counts]:
    numbers, others = before.numbers(), after.numbers()
    if len(numbers) and len(others):
        found.ks = largest_distance(numbers, others)
        low, high = (float(value) for value in (min(numbers.min(), others.min()), max(numbers.max(), others.max())))
        if np.isfinite(high - low):
            edges, counts = binned(numbers, low, high)
            found.histogram = BothHistograms(edges=edges, from_=counts, to=binned(others, low, high)[1])
    return counts_of_numbers(numbers, others)


def _of_values(found: ColumnDrift, before: _Side, after: _Side) -> tuple[Counts, Counts]:
    counts, others = before.counted(), after.counted()
    rows, other_rows = max(counts.total(), 1), max(others.total(), 1)
    shares = [
        BothShares(value=shortened(plain(value)), from_=counts[value] / rows, to=others[value] / other_rows)
        for value in counts.keys() | others.keys()
    ]
    shares.sort(key=lambda each: (-each.from_ - each.to, str(each.value)))
    found.shares = shares[:_MOST_SHOWN]
    return counts_of_values(counts, others)


def _only_in(one: _Side, other: _Side) -> FewOfMany | None:
    if one.distinct is None or other.distinct is None:
        return None
    only = sorted(one.distinct - other.distinct, key=str)
    return FewOfMany(count=len(only), first=[shortened(value) for value in only[:_MOST_SHOWN]])


def _changes(before: _Side, after: _Side) -> list[ReadingChange]:
    told, others = _told(before.cells, before.column), _told(after.cells, after.column)
    return [
        ReadingChange(what=what, from_=told.get(what), to=others.get(what))
        for what in ("kind", "format", "decimal", "thousands", "gap_words", "odd_words", "rules")
        if what in told and what in others and told[what] != others[what]
    ]


def _told(cells: CellReading, column: Column) -> dict[str, Any]:
    """What can be said of how the cells of a column are read; marks concern numbers of text files alone."""
    told = cells.model_dump(mode="json") | {"kind": column.kind.value, "format": column.format}
    if column.kind not in _NUMBERS or cells.typed:
        told.pop("decimal")
        told.pop("thousands")
    return told
