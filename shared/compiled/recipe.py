"""The steps before the estimator, as arrays: what each feature is made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.columns import bend_numbers, put_bins, put_numbers, put_tables, put_waves
from shared.compiled.parts import CompiledPart, Flags, Floats, FormDamaged, Integers, Vector


@dataclass(frozen=True)
class CompiledRecipe(CompiledPart):
    """Features in this order: numbers and indicators of gaps, bins, and tables of categories.

    The columns are numbers, NaN for a gap; a category is the number of its place among those of its column.
    """

    columns: int
    # Numbers: the column, whether its gaps are indicated, what a gap becomes, what is subtracted and divided by.
    sources: Integers
    indicates: Flags
    fills: Vector
    shifts: Vector
    scales: Vector
    # Bins: the edges of feature b stand between bin_starts[b] and bin_starts[b + 1].
    bin_sources: Integers
    bin_fills: Vector
    edges: Vector
    bin_starts: Integers
    # Tables: that of column c stands between table_starts[c] and table_starts[c + 1], line by line.
    table_sources: Integers
    widths: Integers
    entries: Vector
    table_starts: Integers
    # Whether scikit-learn has the features column by column; a product of matrices depends on that in its last digits.
    by_column: bool

    def check(self) -> None:
        """See that every index is that of a column or an entry.

        Raises:
            FormDamaged: when one is not.
        """
        sources = np.concatenate([self.sources, self.bin_sources, self.table_sources])
        numbers = {len(each) for each in (self.sources, self.indicates, self.fills, self.shifts, self.scales)}
        fits = (
            len(numbers) == 1
            and bool(((sources >= 0) & (sources < self.columns)).all())
            and len(self.bin_fills) == len(self.bin_sources)
            and len(self.widths) == len(self.table_sources)
            and bool((self.widths > 0).all())
            and _are_starts(self.bin_starts, len(self.bin_sources), len(self.edges))
            and _are_starts(self.table_starts, len(self.table_sources), len(self.entries))
            # A line for gaps and one for categories that are not known.
            and bool((np.diff(self.table_starts) // 2 >= self.widths).all())
        )
        if not fits:
            raise FormDamaged("the steps before the estimator do not fit together")

    @cached_property
    def width(self) -> int:
        """How many features it makes."""
        return self._before_waves()

    def _before_waves(self) -> int:
        return len(self.sources) + len(self.bin_sources) + int(self.widths.sum())

    def features(self, rows: Floats) -> Floats:
        """The features of rows of columns.

        Raises:
            ValueError: for infinite numbers where bins are made of them.
        """
        if len(self.bin_sources) and np.isinf(rows[:, self.bin_sources]).any():
            raise ValueError("a number is infinite")
        out = np.empty((len(rows), self.width))
        self._put(rows, out)
        return out

    def _put(self, rows: Floats, out: Floats) -> None:
        numbers, bins = len(self.sources), len(self.bin_sources)
        if numbers:
            put_numbers(self.sources, self.indicates, self.fills, self.shifts, self.scales, rows, out)
        if bins:
            put_bins(self.bin_sources, self.bin_fills, self.edges, self.bin_starts, numbers, rows, out)
        if len(self.widths):
            put_tables(self.table_sources, self.widths, self.table_starts, self.entries, numbers + bins, rows, out)


@dataclass(frozen=True)
class CyclicRecipe(CompiledRecipe):
    """The same with features behind the others that tell where dates are in their day, week or year.

    Line w goes through the points between wave_starts[w] and wave_starts[w + 1].
    """

    wave_sources: Integers
    wave_fills: Vector
    periods: Vector
    wave_starts: Integers
    places: Vector
    heights: Vector

    def check(self) -> None:
        """See that every index is that of a column or a point, and that the points of a line cover its period.

        Raises:
            FormDamaged: when they do not.
        """
        super().check()
        waves = len(self.wave_sources)
        fits = (
            bool(((self.wave_sources >= 0) & (self.wave_sources < self.columns)).all())
            and len(self.wave_fills) == len(self.periods) == waves
            and len(self.places) == len(self.heights)
            and _are_starts(self.wave_starts, waves, len(self.places))
            and bool((np.diff(self.wave_starts) >= 2).all())
            and bool((self.places[self.wave_starts[:-1]] <= 0).all())
            and bool((self.places[self.wave_starts[1:] - 1] >= self.periods).all())
        )
        if not fits:
            raise FormDamaged("the steps before the estimator do not fit together")

    @cached_property
    def width(self) -> int:
        """How many features it makes."""
        return self._before_waves() + len(self.wave_sources)

    def _put(self, rows: Floats, out: Floats) -> None:
        super()._put(rows, out)
        lines = (self.periods, self.wave_starts, self.places, self.heights)
        put_waves(self.wave_sources, self.wave_fills, *lines, self._before_waves(), rows, out)


@dataclass(frozen=True)
class BentRecipe(CyclicRecipe):
    """The same with some of the numbers scaled twice and bent: each is the height of one line through points then.

    A number is multiplied, added to, subtracted from and divided, in this order.
    """

    bent: Integers
    factors: Vector
    offsets: Vector
    middles: Vector
    units: Vector
    bend_places: Vector
    bend_heights: Vector

    def check(self) -> None:
        """See that every index is that of a number, and that the points stand in their order.

        Raises:
            FormDamaged: when they do not.
        """
        super().check()
        fits = (
            {len(each) for each in (self.factors, self.offsets, self.middles, self.units)} == {len(self.bent)}
            and bool(((self.bent >= 0) & (self.bent < len(self.sources))).all())
            and len(self.bend_places) == len(self.bend_heights) >= 2
            and bool((np.diff(self.bend_places) > 0).all())
        )
        if not fits:
            raise FormDamaged("the steps before the estimator do not fit together")

    def _put(self, rows: Floats, out: Floats) -> None:
        super()._put(rows, out)
        scaling = (self.factors, self.offsets, self.middles, self.units)
        if not bend_numbers(self.bent, *scaling, self.bend_places, self.bend_heights, out):
            raise ValueError("a number is infinite")


def _are_starts(starts: NDArray[np.int64], count: int, end: int) -> bool:
    # Each is compared by itself, because a difference may be too large for its type.
    return len(starts) == count + 1 and starts[0] == 0 and starts[-1] == end and bool((starts[:-1] <= starts[1:]).all())
