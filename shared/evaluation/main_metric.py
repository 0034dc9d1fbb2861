"""The one metric that importances, slices and notes are about: which of its values is better, what rows take of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted


def is_better(one: float, other: float, *, task: Task) -> bool:
    """Whether one value of the main metric is better than another."""
    return one < other if task == "regression" else one > other


def losses(answers: Predicted, target: NDArray[Any], *, task: Task) -> Floats:
    """What each row takes from the main metric: 1 for a wrong label, the distance for a number."""
    off = target - answers.labels if task == "regression" else target != answers.labels
    found: Floats = np.abs(off.astype(np.float64))
    return found
