"""Scales numbers so that those far from all others count for little, and the others are told by straight lines.

The unit is the distance between the quartiles, counted from the median. Up to two of them, which is where nearly all
numbers of most columns are, nothing is bent: what depends on a column by a straight line still does. Beyond, z becomes
4 - 4 / z, which goes on smoothly and never reaches 4. Where the quartiles are the same number, the unit is half of the
distance between the smallest and the largest number. Only classes of scikit-learn and functions of NumPy, so that a
downloaded model loads wherever scikit-learn is.
"""

from functools import partial
from typing import Any, Final

import numpy as np
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler

# The bend is drawn by straight lines between these; beyond the last one, all numbers are the same.
_PLACES: Final = (2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0, 200.0, 1_000.0)


def squash_steps() -> list[Any]:
    """What scales and bends columns of numbers. Gaps stay."""
    heights = [4 - 4 / place for place in _PLACES]
    places = [*(-place for place in reversed(_PLACES)), *_PLACES]
    heights = [*(-height for height in reversed(heights)), *heights]
    bend: Any = partial(np.interp, xp=places, fp=heights)
    # The first one has made half of the range the unit. The second one makes the distance between the quartiles the
    # unit instead, but for columns where that is 0.
    return [MinMaxScaler((-1, 1)), RobustScaler(), FunctionTransformer(bend, feature_names_out="one-to-one")]
