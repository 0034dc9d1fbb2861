"""Correlations between columns of numbers with gaps: of the numbers, and of their ranks."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from shared.tables.relations import Correlation, CorrelationMatrix

Numbers = NDArray[np.float64]

MOST_COLUMNS = 100
_MOST_PAIRS = 40
_MOST_IN_MATRIX = 12
_LEAST_ROWS = 10
_DIGITS = 6
_TINY = 1e-10


def correlations_of(columns: dict[str, Numbers]) -> tuple[list[Correlation], CorrelationMatrix | None]:
    """The pairs that correlate most, and a matrix of the columns in them; gaps are NaN."""
    found = {name: ready for name, numbers in columns.items() if (ready := _scaled(numbers)) is not None}
    names = list(found)
    if len(names) < 2:
        return [], None
    values = np.column_stack(list(found.values()))
    ranks = np.column_stack([_ranks(each) for each in found.values()])
    pearson, spearman = _matrix(values), _matrix(ranks)
    strength = np.fmax(np.abs(pearson), np.abs(spearman))
    pairs = [pair for pair in combinations(range(len(names)), 2) if np.isfinite(strength[pair])]
    pairs.sort(key=lambda pair: -strength[pair])
    told = [_pair(names, values, pair) for pair in pairs[:_MOST_PAIRS]]
    shown = list(dict.fromkeys(at for pair in pairs for at in pair))[:_MOST_IN_MATRIX]
    if not shown:
        return [], None
    rows = [[_told(spearman[row, at]) if row != at else 1.0 for at in shown] for row in shown]
    return told, CorrelationMatrix(columns=[names[at] for at in shown], spearman=rows)


def _scaled(numbers: Numbers) -> Numbers | None:
    """The numbers about 0 and near 1, so that no sum of squares is beyond floats; None if they are all the same."""
    present = numbers[np.isfinite(numbers)]
    if len(present) < _LEAST_ROWS:
        return None
    half = present.max() / 2 - present.min() / 2
    if not half > 0:
        return None
    scaled: Numbers = (numbers / 2 - (present.max() / 4 + present.min() / 4)) / half
    return scaled


def _ranks(numbers: Numbers) -> Numbers:
    """The ranks of numbers, the mean of them where numbers are the same; gaps stay."""
    ranks = np.full(len(numbers), np.nan)
    there = np.isfinite(numbers)
    _, place, counts = np.unique(numbers[there], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks[there] = (ends - (counts - 1) / 2)[place] / len(numbers)
    return ranks


def _matrix(values: Numbers) -> Numbers:
    """The correlation of each pair of columns over the rows that have both; NaN where there is none."""
    there = np.isfinite(values)
    numbers = np.where(there, values - np.nanmean(values, axis=0), 0.0)
    mask = there.astype(np.float64)
    count = mask.T @ mask
    sums, squares = numbers.T @ mask, (numbers**2).T @ mask
    with np.errstate(invalid="ignore", divide="ignore"):
        both = numbers.T @ numbers - sums * sums.T / count
        spread = squares - sums**2 / count
        found: Numbers = both / np.sqrt(spread * spread.T)
        # What is left of a column that has one number in these rows is noise.
        tiny = np.minimum(spread, spread.T) <= _TINY * count
    found[(count < _LEAST_ROWS) | tiny] = np.nan
    return np.clip(found, -1, 1)


def _pair(names: list[str], values: Numbers, pair: tuple[int, int]) -> Correlation:
    """One pair exactly: the ranks are those among the rows that have both."""
    both = values[:, list(pair)]
    both = both[np.isfinite(both).all(axis=1)]
    ranks = np.column_stack([_ranks(both[:, at]) for at in (0, 1)])
    pearson, spearman = (_told(_matrix(each)[0, 1]) or 0.0 for each in (both, ranks))
    first, second = pair
    return Correlation(columns=(names[first], names[second]), pearson=pearson, spearman=spearman, rows=len(both))


def _told(value: float) -> float | None:
    return round(float(value), _DIGITS) if np.isfinite(value) else None
