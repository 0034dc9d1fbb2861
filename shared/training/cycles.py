"""Where a moment is in its day, its week and its year, as numbers that end where they begin.

Each cycle is a sine and a cosine, drawn by straight lines between the hours, the days or the months: at these, the
numbers are exact, so that the same weekday is the same number in every week. Only functions of NumPy, so that a
downloaded model loads wherever scikit-learn is.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer

from shared.training.preprocessing import Cycle

# The length in days, and how many straight lines stand for it.
CYCLES: dict[Cycle, tuple[float, int]] = {"day": (1.0, 24), "week": (7.0, 7), "year": (365.2425, 12)}


def cycle_steps(cycles: tuple[Cycle, ...]) -> FeatureUnion:
    """What makes a sine and a cosine of days since 1970 for each of the cycles."""
    return FeatureUnion([(f"{cycle}_{wave}", _wave(cycle, wave)) for cycle in cycles for wave in ("sine", "cosine")])


def _wave(cycle: Cycle, wave: str) -> FunctionTransformer:
    length, lines = CYCLES[cycle]
    turn = math.sin if wave == "sine" else math.cos
    places = [length * at / lines for at in range(lines)]
    heights = [turn(2 * math.pi * at / lines) for at in range(lines)]
    interpolated: Any = partial(np.interp, xp=places, fp=heights, period=length)
    return FunctionTransformer(interpolated, feature_names_out="one-to-one")
