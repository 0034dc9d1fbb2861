"""How the columns of a table go together, and what makes one of them doubtful as a target, in one pass."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared.tables.alone import Codes, Numbers, binned_by, halves_of, score_of_classes, score_of_numbers
from shared.tables.columns import MOST_UNIQUE, Column, ColumnKind
from shared.tables.compared import TableFile
from shared.tables.correlating import MOST_COLUMNS, correlations_of
from shared.tables.doubts import FEW, doubts_of
from shared.tables.loading import typed_chunks
from shared.tables.relations import ColumnScore, Relations
from shared.tables.repeated import RepeatedRows
from shared.tables.sketch import Sketch, numbers_of

_NUMBERS = {ColumnKind.INTEGER, ColumnKind.NUMBER}
_MOST_SCORES = 20


class _Kept:
    """The rows that a sketch of each column kept: the same ones of all columns."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = {column.name: column for column in columns}
        self._sketches = {column.name: Sketch(columns=len(columns)) for column in columns}

    def add(self, batch: pa.RecordBatch) -> None:
        for name, sketch in self._sketches.items():
            sketch.add(batch.column(name))

    def values(self, name: str) -> pa.Array:
        kept = self._sketches[name].kept()
        return pa.nulls(0) if kept is None else kept

    def numbers(self, name: str) -> Numbers:
        """The values of a column of numbers or moments; gaps are NaN."""
        values = self.values(name)
        found = np.full(len(values), np.nan)
        found[values.is_valid().to_numpy(zero_copy_only=False)] = numbers_of(
            values.drop_null(), self.columns[name].kind
        )
        return found


def relate(table: TableFile, target: str) -> Relations:
    """Correlations between columns of numbers, and warnings about the target.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    inputs = [column for column in table.columns if column.name != target and column.role is None]
    aim = next(column for column in table.columns if column.name == target)
    kept = _Kept([*inputs, aim])
    repeated = RepeatedRows(target, [column.name for column in inputs])
    counts: Counter[Any] = Counter()
    for batch in typed_chunks(table.path, table.reading, [*inputs, aim]):
        kept.add(batch)
        repeated.add(batch)
        if len(counts) <= MOST_UNIQUE:
            found = pc.value_counts(batch.column(target).drop_null()).to_pylist()
            counts.update({each["values"]: each["counts"] for each in found})
    numbers = [column.name for column in [aim, *inputs] if column.kind in _NUMBERS]
    correlations, matrix = correlations_of({name: kept.numbers(name) for name in numbers[:MOST_COLUMNS]})
    scores = _scores(kept, aim, [column.name for column in inputs])
    repeats = repeated.count()
    return Relations(
        target=target,
        rows_looked_at=len(kept.values(target)),
        rows_compared=repeats.compared,
        correlations=correlations,
        matrix=matrix,
        scores=scores[:_MOST_SCORES],
        warnings=doubts_of(aim, counts, scores, repeats),
    )


def _scores(kept: _Kept, target: Column, names: list[str]) -> list[ColumnScore]:
    """How well each column alone predicts the target, the best first; without those of which that cannot be told."""
    aims = kept.values(target.name)
    known = aims.is_valid().to_numpy(zero_copy_only=False)
    learnt = halves_of(int(known.sum()))
    of_numbers = target.kind in {*_NUMBERS, ColumnKind.DATETIME} and target.unique > FEW
    goal = kept.numbers(target.name)[known] if of_numbers else None
    classes = None if of_numbers else _codes(aims.drop_null())
    found = []
    for name in names:
        codes, numbers = _binned(kept, name, known, learnt)
        if goal is not None:
            score = score_of_numbers(codes, numbers, goal, learnt)
        else:
            score = None if classes is None else score_of_classes(codes, classes, learnt)
        if score is not None:
            found.append(ColumnScore(column=name, score=round(score, 4)))
    return sorted(found, key=lambda each: -each.score)


def _binned(
    kept: _Kept, name: str, known: NDArray[np.bool_], learnt: NDArray[np.bool_]
) -> tuple[Codes, Numbers | None]:
    """The bins of a column in the rows with a target, and its numbers if it has such."""
    kind = kept.columns[name].kind
    if kind in {*_NUMBERS, ColumnKind.DATETIME}:
        numbers = kept.numbers(name)[known]
        return binned_by(numbers, learnt), numbers
    values = kept.values(name).filter(pa.array(known))
    # Texts are not told from each other: only whether there is one.
    return _codes(values.is_valid() if kind is ColumnKind.TEXT else values), None


def _codes(values: pa.Array) -> Codes:
    """A number from 0 for each different value, a gap being one of them."""
    encoded = values.dictionary_encode()
    codes: Codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy().astype(np.intp)
    return codes
