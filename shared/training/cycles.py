"""Where a moment is in its day, its week, its month and its year, as numbers that end where they begin.

Each cycle is a sine and a cosine, drawn by straight lines between the hours, the days, the sixths of a month or the
months: at these, the numbers are exact, so that the same weekday is the same number in every week, and the first of a
month in every month. Only functions of NumPy, so that a
downloaded model loads wherever scikit-learn is.
"""

import math
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer

from shared.training.preprocessing import Cycle

# The length in days, and how many straight lines stand for it.
CYCLES: dict[Cycle, tuple[float, int]] = {
    "day": (1.0, 24),
    "week": (7.0, 7),
    "month": (1461.0, 6),
    "year": (365.2425, 12),
}
# Months are of different lengths, which come again after four years; 1900 and 2100 lack a day.
_MONTHS = 48


def cycle_steps(cycles: tuple[Cycle, ...]) -> FeatureUnion:
    """What makes a sine and a cosine of days since 1970 for each of the cycles."""
    return FeatureUnion([(f"{cycle}_{wave}", _wave(cycle, wave)) for cycle in cycles for wave in ("sine", "cosine")])


def _wave(cycle: Cycle, wave: str) -> FunctionTransformer:
    length, lines = CYCLES[cycle]
    turn = math.sin if wave == "sine" else math.cos
    places = _in_months(lines) if cycle == "month" else [length * at / lines for at in range(lines)]
    heights = [turn(2 * math.pi * (at % lines) / lines) for at in range(len(places))]
    interpolated: Any = partial(np.interp, xp=places, fp=heights, period=length)
    return FunctionTransformer(interpolated, feature_names_out="one-to-one")


def _in_months(lines: int) -> list[float]:
    """The days since 1970 at which parts of a month begin, in four years."""
    starts = [(date(1970 + month // 12, month % 12 + 1, 1) - date(1970, 1, 1)).days for month in range(_MONTHS + 1)]
    return [start + (end - start) * at / lines for start, end in pairwise(starts) for at in range(lines)]
