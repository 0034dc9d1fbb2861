"""What a promise says of a row: the interval around its number, or which labels are likely enough."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bounds(numbers: NDArray[Any], margin: float) -> Floats:
    """The lower and the upper end around each number, of shape (rows, 2); infinite where floats end before."""
    middles = np.asarray(numbers, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.stack([middles - margin, middles + margin], axis=1)


def sets(probabilities: Floats, least: float) -> NDArray[np.bool_]:
    """Which labels are in the set of each row: those that are likely enough, and always the likeliest one."""
    chosen: NDArray[np.bool_] = (probabilities >= least) | (probabilities == probabilities.max(axis=1, keepdims=True))
    return chosen
