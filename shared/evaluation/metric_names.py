"""The metrics by their names: which there are of labels and of numbers, and which value is the better one."""

from collections.abc import Callable
from typing import Final

from shared.estimators.signature import Task

# Of numbers a distance: it is in the unit of the target, and means the same for few rows as for many.
MAIN: Final[dict[Task, str]] = {"classification": "accuracy", "regression": "mae"}

METRICS: Final[dict[Task, tuple[str, ...]]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss"),
    "regression": ("r2", "rmse", "mae"),
}
_LESS_IS_BETTER = frozenset({"log_loss", "rmse", "mae"})

# Which value of a metric is the better one.
BETTER: Final[dict[str, Callable[[list[float]], float]]] = {
    name: min if name in _LESS_IS_BETTER else max for names in METRICS.values() for name in names
}


def rises(metric: str) -> bool:
    """Whether more of a metric is better."""
    return BETTER[metric] is max
