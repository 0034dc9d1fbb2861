"""How far a metric may be from its true value, because it comes from few rows: by the bootstrap.

The test rows are drawn again and again, each time as many as there are, with repetition; the middle 95 of 100 values
of a metric are its interval (the percentile bootstrap of B. Efron, "Bootstrap Methods: Another Look at the Jackknife",
1979). A draw is a weight per row: how often it was drawn. So each metric is computed for all draws at once.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted
from shared.evaluation.assessment import Range
from shared.evaluation.weighted import plain_metrics, weighted_metrics

DRAWS = 300
# The bounds of the middle 95 %.
_BOUNDS = (0.025, 0.975)
# So many weights are in memory at a time.
_MOST_WEIGHTS = 1_000_000
# Draws of more rows would take long; those of this many tell how wide an interval of more is, too.
MOST_ROWS = 10_000


def intervals(answers: Predicted, target: NDArray[np.generic], *, task: Task, seed: int) -> dict[str, Range]:
    """The 95 % interval of each metric of `measuring.evaluate` that can be had for nearly all draws.

    Of more than `MOST_ROWS` rows, that many are drawn from, and the interval is narrower by the root of the ratio (the
    bootstrap of m out of n).
    """
    whole = len(target)
    if whole > MOST_ROWS:
        found = plain_metrics(answers, target, task=task)
        chosen = np.random.default_rng(seed).choice(whole, MOST_ROWS, replace=False)
        answers, target = answers.at_rows(chosen), target[chosen]
        of_part = plain_metrics(answers, target, task=task)
        drawn = _drawn(answers, target, task=task, seed=seed)
        root = (MOST_ROWS / whole) ** 0.5
        return {
            name: (found[name] + root * (low - of_part[name]), found[name] + root * (high - of_part[name]))
            for name, (low, high) in drawn.items()
            if name in found and name in of_part
        }
    return _drawn(answers, target, task=task, seed=seed)


def _drawn(answers: Predicted, target: NDArray[np.generic], *, task: Task, seed: int) -> dict[str, Range]:
    values: dict[str, list[Floats]] = {}
    for weights in _weights(len(target), seed):
        for name, numbers in weighted_metrics(answers, target, weights, task=task).items():
            values.setdefault(name, []).append(numbers)
    found = {name: _middle(np.concatenate(each)) for name, each in values.items()}
    return {name: bounds for name, bounds in found.items() if bounds is not None}


def _weights(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row is in each draw, some draws at a time: of shape (draws, rows)."""
    random = np.random.default_rng(seed)
    at_once = max(min(DRAWS, _MOST_WEIGHTS // max(rows, 1)), 1)
    for start in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - start)
        drawn = random.integers(rows, size=(draws, rows)) + rows * np.arange(draws)[:, None]
        yield np.bincount(drawn.ravel(), minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _middle(numbers: Floats) -> Range | None:
    """None where too many draws have no value, such as those without a row of one of the classes."""
    present = numbers[np.isfinite(numbers)]
    if len(present) < 0.95 * len(numbers):
        return None
    low, high = np.quantile(present, _BOUNDS)
    return float(low), float(high)
