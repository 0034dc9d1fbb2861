"""How the values of a column are spread: quantiles, a histogram, the most frequent values, from rows evenly taken."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared.tables.columns import ColumnKind
from shared.tables.spread import ColumnSketch, Histogram, ValueCount
from shared.tables.values import STRINGS

# What all columns of a table keep together, and one of them at most.
_KEPT_CELLS = 2_000_000
_MOST_KEPT = 10_000
_LEAST_KEPT = 200

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 20
_TOP = 10
_VALUE_CHARACTERS = 100


class Sketch:
    """Keeps the values of every so many rows. The step doubles as rows come, so that never too many are kept."""

    def __init__(self, *, columns: int, rows_before: int = 0) -> None:
        self._most = max(_LEAST_KEPT, min(_MOST_KEPT, _KEPT_CELLS // max(columns, 1)))
        self._step = 1
        self._row = rows_before
        self._first_row = rows_before
        self._kept: list[pa.Array] = []
        self._count = 0

    def add(self, values: pa.Array) -> None:
        """Take the next chunk of a column."""
        first = -self._row % self._step
        self._row += len(values)
        places = np.arange(first, len(values), self._step)
        if not len(places):
            return
        self._kept.append(values if self._step == 1 else values.take(pa.array(places)))
        self._count += len(places)
        while self._count > 2 * self._most:
            self._halve()

    def finish(self, kind: ColumnKind) -> ColumnSketch:
        """The spread of the values that were kept."""
        values = self.kept()
        values = None if values is None else values.drop_null()
        if values is None or not len(values):
            return ColumnSketch()
        if kind in STRINGS or kind is ColumnKind.BOOLEAN:
            return ColumnSketch(top=_top(values))
        return _spread(numbers_of(values, kind))

    def kept(self) -> pa.Array | None:
        """The values that were kept, gaps among them; None before the first one."""
        return pa.chunked_array(self._kept).combine_chunks() if self._kept else None

    def _halve(self) -> None:
        """Keep the values of the rows whose number twice the step divides."""
        kept = pa.chunked_array(self._kept).combine_chunks()
        start = int(self._first_row % (2 * self._step) > 0)
        self._kept = [kept.take(pa.array(np.arange(start, len(kept), 2)))]
        self._first_row += start * self._step
        self._step *= 2
        self._count = len(self._kept[0])


def numbers_of(values: pa.Array, kind: ColumnKind) -> NDArray[np.float64]:
    """Values of numbers or moments without gaps as floats: moments are seconds since 1970."""
    numbers = values.cast(pa.int64()).to_numpy() / 1e6 if kind is ColumnKind.DATETIME else values.to_numpy()
    found: NDArray[np.float64] = numbers.astype(np.float64)
    return found


def binned(numbers: NDArray[np.float64], low: float, high: float) -> tuple[list[float], list[int]]:
    """The edges of bins between two numbers, whose distance is finite, and how many numbers are in each bin."""
    if high == low:
        return [low, high], [len(numbers)]
    # By hand, because numpy refuses ranges of large numbers that are near each other.
    places = np.minimum((numbers - low) / (high - low) * _BINS, _BINS - 1).astype(np.intp)
    return np.linspace(low, high, _BINS + 1).tolist(), np.bincount(places, minlength=_BINS).tolist()


def shortened(value: Any) -> Any:
    """A value, whose end is cut where it is a long text."""
    long = isinstance(value, str) and len(value) > _VALUE_CHARACTERS
    return f"{value[: _VALUE_CHARACTERS - 1]}…" if long else value


def rows_looked_at(rows: int, *, columns: int) -> int:
    """Of how many rows a sketch of a table has the values."""
    most = max(_LEAST_KEPT, min(_MOST_KEPT, _KEPT_CELLS // max(columns, 1)))
    step = 1
    while -(-rows // step) > 2 * most:
        step *= 2
    return -(-rows // step)


def _top(values: pa.Array) -> list[ValueCount]:
    counts = pc.value_counts(values).sort(by="counts", order="descending")[:_TOP].to_pylist()
    return [ValueCount(value=shortened(each["values"]), count=each["counts"]) for each in counts]


def _spread(numbers: NDArray[np.float64]) -> ColumnSketch:
    low, high = float(numbers.min()), float(numbers.max())
    with np.errstate(over="ignore"):
        wide = not np.isfinite(np.float64(high) - low)
    # Where the range itself is beyond all floats, so is what lies between two numbers.
    found = np.quantile(numbers, QUANTILES, method="inverted_cdf" if wide else "linear")
    quantiles = {f"{share:g}": float(value) for share, value in zip(QUANTILES, found, strict=True)}
    if wide:
        return ColumnSketch(quantiles=quantiles)
    edges, counts = binned(numbers, low, high)
    return ColumnSketch(quantiles=quantiles, histogram=Histogram(edges=edges, counts=counts))
