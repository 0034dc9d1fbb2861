"""Reads a table once and deals its rows to files, each of which is a small likeness of the whole.

Tables are often in the order of a date or of the target itself. A model that is shown their rows in that order forgets
what it was shown first, so each batch is drawn from all of the table; on the disk, because it is not in memory.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from shared.estimators.signature import MOST_CATEGORIES
from shared.tables.columns import Column
from shared.tables.loading import frame_of
from shared.tables.values import ARROW
from shared.training.batches.drawing import DrawnRows, KeptBack, StoredRows, drawn_rows
from shared.training.spec import TrainingSpec

# Files are open at the same time, and a process may not have many.
_MOST_FILES = 256
# So many words of a column are counted at a time: enough for the most frequent ones.
_MOST_WORDS = 1_000 * MOST_CATEGORIES


class _Pile(NamedTuple):
    path: Path
    rows: int


@dataclass(frozen=True)
class Dealt:
    """The rows of a table in files, and what was counted on the way."""

    columns: Sequence[Column]
    piles: Sequence[_Pile]
    batch_rows: int
    total: int
    kept_back: pd.DataFrame
    # How many rows to measure on there are; `kept_back` may have fewer.
    kept_back_count: int
    # The labels of the rows to learn from, each with the number of its rows; or the sum of these numbers.
    labels: Counter[Any]
    sum: float
    words: dict[str, Counter[str]]

    @property
    def rows(self) -> int:
        """How many rows there are to learn from."""
        return sum(pile.rows for pile in self.piles)

    @property
    def count(self) -> int:
        """How many batches there are."""
        return sum(_parts_of(pile, self.batch_rows) for pile in self.piles)

    def batches(self) -> Iterator[pd.DataFrame]:
        """The batches, each time in the same order."""
        for pile in self.piles:
            size = math.ceil(pile.rows / max(_parts_of(pile, self.batch_rows), 1))
            with pa.OSFile(str(pile.path)) as file, pa.ipc.open_stream(file) as stream:
                for table in _cut(stream, size):
                    yield frame_of(table, self.columns)


def deal(
    file: StoredRows,
    spec: TrainingSpec,
    columns: Sequence[Column],
    *,
    counts_labels: bool,
    words: Sequence[str],
    folder: Path,
    told: Callable[[float], None],
) -> Dealt:
    """Read the `columns` of a file and write the rows to learn from into the folder.

    `words` are the columns of which the words are counted, `told` hears which share of the file is read.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    assert spec.batches is not None, "batches were asked for"  # noqa: S101 - callers have looked
    expected = file.rows * (1 - spec.test_size)
    count = min(max(math.ceil(expected / spec.batches.rows), 1), _MOST_FILES)
    schema = pa.schema([(column.name, ARROW[column.kind]) for column in columns])
    kept_back, counted = KeptBack(spec), _Tally(spec, counts_labels, {name: Counter() for name in words})
    with _Piles(folder, schema, count) as piles:
        for drawn in drawn_rows(file.path, file.reading, columns, spec):
            kept_back.add(drawn.kept_back)
            counted.add(drawn.learnt, drawn.kept_back, drawn.total)
            piles.add(drawn.learnt, spec.test_size)
            told(counted.total / max(file.rows, 1))
    return Dealt(
        columns=columns,
        piles=piles.written,
        batch_rows=spec.batches.rows,
        total=counted.total,
        kept_back=kept_back.frame(columns),
        kept_back_count=kept_back.count,
        labels=counted.labels,
        sum=math.fsum(counted.sums),
        words=counted.words,
    )


@dataclass
class _Tally:
    spec: TrainingSpec
    counts_labels: bool
    words: dict[str, Counter[str]]
    total: int = 0
    labels: Counter[Any] = field(default_factory=Counter)
    sums: list[float] = field(default_factory=list)

    def add(self, learnt: DrawnRows, kept_back: DrawnRows, total: int) -> None:
        self.total += total
        target = learnt.rows.column(self.spec.target_column)
        if self.counts_labels:
            _count(target, self.labels)
        else:
            # Whole numbers could go beyond what their type holds.
            self.sums.append(float(pc.sum(pc.cast(target, pa.float64(), safe=False)).as_py() or 0.0))
        for name, counter in self.words.items():
            for part in (learnt, kept_back):
                _count(part.rows.column(name), counter)
            if len(counter) > _MOST_WORDS:
                self.words[name] = Counter(dict(counter.most_common(_MOST_WORDS // 2)))


def _count(values: pa.ChunkedArray, counter: Counter[Any]) -> None:
    found = pc.value_counts(values)
    pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    counter.update({value: count for value, count in pairs if value is not None})


class _Piles:
    """Files that rows are dealt to."""

    def __init__(self, folder: Path, schema: pa.Schema, count: int) -> None:
        self._paths = [folder / str(number) for number in range(count)]
        self._schema = schema
        self._rows = np.zeros(count, dtype=np.int64)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        files = [self._open.enter_context(pa.OSFile(str(path), "wb")) for path in self._paths]
        self._writers = [self._open.enter_context(pa.ipc.new_stream(file, self._schema)) for file in files]
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    @property
    def written(self) -> list[_Pile]:
        """The files that have rows."""
        return [_Pile(path, rows) for path, rows in zip(self._paths, self._rows.tolist(), strict=True) if rows]

    def add(self, drawn: DrawnRows, test_size: float) -> None:
        """Deal rows by their numbers, which are all above `test_size`."""
        count = len(self._paths)
        places = ((drawn.numbers - test_size) / (1 - test_size) * count).astype(np.intp)
        places = np.minimum(places, count - 1)
        sorted_rows = drawn.at_positions(np.argsort(places, kind="stable")).rows
        each = np.bincount(places, minlength=count)
        start = 0
        for writer, rows in zip(self._writers, each.tolist(), strict=True):
            if rows:
                writer.write_table(sorted_rows.slice(start, rows))
            start += rows
        self._rows += each


def _parts_of(pile: _Pile, batch_rows: int) -> int:
    """Into how many batches a file is cut; one with a few rows more than a batch is one all the same."""
    return max(round(pile.rows / batch_rows), 1)


def _cut(stream: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for part in stream:
        waiting.append(part)
        rows += part.num_rows
        while rows >= size:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, size)
            waiting, rows = table.slice(size).to_batches(), rows - size
    if rows:
        yield pa.Table.from_batches(waiting)
