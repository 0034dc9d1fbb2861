"""The one metric that importances, slices and notes are about, and which of its values is the better one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted

# Of numbers a distance: it is in the unit of the target, and means the same for few rows as for many.
MAIN: dict[Task, str] = {"classification": "accuracy", "regression": "mae"}


def is_better(one: float, other: float, *, task: Task) -> bool:
    """Whether one value of the main metric is better than another."""
    return one < other if task == "regression" else one > other


def losses(answers: Predicted, target: NDArray[Any], *, task: Task) -> Floats:
    """What each row takes from the main metric: 1 for a wrong label, the distance for a number."""
    off = target - answers.labels if task == "regression" else target != answers.labels
    found: Floats = np.abs(off.astype(np.float64))
    return found
