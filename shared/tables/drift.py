"""How far the values of a column have moved: the population stability index, and what chance alone makes of it.

An index of samples of one population is not 0. It follows a chi-squared distribution times `1/n + 1/m`, whose mean is
`(bins - 1) * (1/n + 1/m)` (Yurdakul 2018): so it is held against both a size that matters and what chance makes.
"""

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.tables.compared import Word

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

# Fewer rows tell nothing.
LEAST_ROWS = 30
_SOME, _STRONG = 0.1, 0.25
_MOST_BINS = 10
_ROWS_PER_BIN = 10
_MOST_VALUES = 20
_LEAST_EXPECTED = 5
# One column in 10,000 that does not drift is beyond.
_DEVIATIONS = 3.719
# Keeps the index finite where a bin is empty on one side.
_IN_EACH = 0.5


class Index(NamedTuple):
    """A population stability index, and the one that chance reaches in one of 10,000 columns that do not drift."""

    psi: float
    chance: float

    @property
    def word(self) -> Word:
        """How much it is: what matters, and is more than chance."""
        if self.psi >= max(_STRONG, self.chance):
            return "strong"
        return "some" if self.psi >= max(_SOME, self.chance) else "none"


def index_of(before: Counts, after: Counts) -> Index:
    """The index of counts in the same bins; those that are empty on both sides do not count."""
    there = before + after > 0
    before, after = before[there], after[there]
    bins, rows, others = len(before), before.sum(), after.sum()
    share = (before + _IN_EACH) / (rows + _IN_EACH * bins)
    other = (after + _IN_EACH) / (others + _IN_EACH * bins)
    psi = float(np.sum((other - share) * np.log(other / share)))
    return Index(psi, (1 / rows + 1 / others) * _chi_squared(bins - 1))


def counts_of_numbers(before: Numbers, after: Numbers) -> tuple[Counts, Counts]:
    """How many numbers of both are between the deciles of the first, below all of its numbers, and above all.

    A number that comes often has a bin of its own.
    """
    bins = max(2, min(_MOST_BINS, min(len(before), len(after)) // _ROWS_PER_BIN))
    edges = np.empty(0)
    if len(before):
        shares = np.arange(1, bins) / bins
        edges = np.unique(np.quantile(before, shares, method="inverted_cdf"))
        often = edges[[np.mean(before == edge) > 1 / bins for edge in edges]]
        below = np.nextafter([*often, before.min()], -np.inf)
        edges = np.unique(np.concatenate([edges, below, [before.max()]]))
    size = len(edges) + 1
    first, second = (np.bincount(np.searchsorted(edges, each), minlength=size) for each in (before, after))
    return first, second


def counts_of_values(before: Counter[Any], after: Counter[Any]) -> tuple[Counts, Counts]:
    """How often the most frequent values of both are there; those that are rarer share the last bin."""
    rows, others = max(before.total(), 1), max(after.total(), 1)
    fewer = min(rows, others)
    expected = {
        value: (before[value] / rows + after[value] / others) / 2 * fewer for value in before.keys() | after.keys()
    }
    often = sorted(
        (value for value in expected if expected[value] >= _LEAST_EXPECTED),
        key=lambda value: (-expected[value], str(value)),
    )
    kept = often[:_MOST_VALUES]
    first, second = ([each[value] for value in kept] for each in (before, after))
    return np.array([*first, before.total() - sum(first)]), np.array([*second, after.total() - sum(second)])


def largest_distance(before: Numbers, after: Numbers) -> float:
    """The distance of Kolmogorov and Smirnov: the most by which the shares below a number differ."""
    places = np.concatenate([before, after])
    below = [np.searchsorted(np.sort(each), places, side="right") / len(each) for each in (before, after)]
    return float(np.max(np.abs(below[0] - below[1])))


def _chi_squared(freedom: int) -> float:
    """What a chi-squared variable exceeds once in 10,000 times, by the formula of Wilson and Hilferty."""
    if not freedom:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _DEVIATIONS * math.sqrt(part)) ** 3)
