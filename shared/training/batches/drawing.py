"""What becomes of each row of a table that is read chunk by chunk: a number between 0 and 1 for each decides it.

The numbers follow from the seed and the place of the row alone, so that every reading of the file draws the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from shared.tables.columns import Column
from shared.tables.loading import frame_of, typed_chunks
from shared.tables.reading import Reading
from shared.training.spec import TrainingSpec

# To write a few rows to each of many files costs more than to wait for more of them.
_GATHERED_ROWS = 65_536
# Of the rows that are kept back, as many are measured on as there are in a batch, within these bounds.
_LEAST_MEASURED, _MOST_MEASURED = 10_000, 100_000


@dataclass(frozen=True)
class StoredRows:
    """The file of a dataset version, and what its check found."""

    path: Path
    reading: Reading
    columns: list[Column]
    rows: int


class DrawnRows(NamedTuple):
    """Some rows that have a target, the place of each in the table, from 0, and its number."""

    rows: pa.Table
    places: NDArray[np.int64]
    numbers: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> "DrawnRows":
        """Some of them."""
        return DrawnRows(self.rows.filter(pa.array(chosen)), self.places[chosen], self.numbers[chosen])

    def at_positions(self, positions: NDArray[np.intp]) -> "DrawnRows":
        """Those at these positions, in their order."""
        return DrawnRows(self.rows.take(pa.array(positions)), self.places[positions], self.numbers[positions])


class Drawn(NamedTuple):
    """The rows of some chunks: those to learn from, those to measure on, and how many there were in all."""

    learnt: DrawnRows
    kept_back: DrawnRows
    total: int


def drawn_rows(path: Path, reading: Reading, columns: Sequence[Column], spec: TrainingSpec) -> Iterator[Drawn]:
    """All rows of a file with the values of `columns`, of which the target is one, in the order of the file.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    random = np.random.default_rng(spec.random_state)
    done = 0
    for rows in _gathered(typed_chunks(path, reading, list(columns))):
        numbers = random.random(rows.num_rows)
        drawn = DrawnRows(rows, np.arange(done, done + rows.num_rows), numbers)
        done += rows.num_rows
        present = rows.column(spec.target_column).is_valid().to_numpy()
        kept_back = numbers < spec.test_size
        yield Drawn(drawn.where(present & ~kept_back), drawn.where(present & kept_back), rows.num_rows)


@dataclass
class KeptBack:
    """The rows to measure on: all of them, or as many as are wanted, by chance."""

    spec: TrainingSpec
    count: int = 0
    _parts: list[DrawnRows] = field(default_factory=list)

    @property
    def most(self) -> int:
        """How many there will be at most."""
        rows = _LEAST_MEASURED if self.spec.batches is None else self.spec.batches.rows
        return min(max(rows, _LEAST_MEASURED), _MOST_MEASURED)

    def add(self, found: DrawnRows) -> None:
        """Take notice of some more."""
        self.count += found.rows.num_rows
        self._parts.append(found)
        if sum(part.rows.num_rows for part in self._parts) > 2 * self.most:
            self._parts = [self._fewest()]

    def frame(self, columns: Sequence[Column]) -> pd.DataFrame:
        """The rows in the order of the table; the index has their places in it."""
        drawn = self._fewest()
        frame = frame_of(drawn.rows, columns)
        frame.index = pd.Index(drawn.places)
        return frame

    def _fewest(self) -> DrawnRows:
        """Those with the smallest numbers, as if all were there."""
        found = DrawnRows(
            pa.concat_tables([part.rows for part in self._parts]),
            np.concatenate([part.places for part in self._parts]),
            np.concatenate([part.numbers for part in self._parts]),
        )
        if len(found.numbers) <= self.most:
            return found
        return found.at_positions(np.sort(np.argpartition(found.numbers, self.most)[: self.most]))


def _gathered(chunks: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for chunk in chunks:
        waiting.append(chunk)
        if sum(each.num_rows for each in waiting) >= _GATHERED_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
