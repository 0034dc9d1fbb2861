"""How far a metric may be from its true value, because it comes from few rows: by the bootstrap.

The test rows are drawn again and again, each time as many as there are, with repetition; the middle 95 of 100 values
of a metric are its interval (the percentile bootstrap of B. Efron, "Bootstrap Methods: Another Look at the Jackknife",
1979). A draw is a weight per row: how often it was drawn. So each metric is computed for all draws at once.
"""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted, own_probabilities
from shared.evaluation.assessment import Range

DRAWS = 400
# The bounds of the middle 95 %.
_BOUNDS = (0.025, 0.975)
# So many weights are in memory at a time.
_MOST_WEIGHTS = 4_000_000
# More rows make an interval no wider than its rounding; they would only take time.
MOST_ROWS = 50_000
# A table of labels by labels for each draw would take too much beyond.
_MOST_CLASSES = 100

# The smallest probability that counts, as scikit-learn has it for its log loss.
_LEAST_PROBABILITY = np.finfo(np.float64).eps


def intervals(answers: Predicted, target: NDArray[np.generic], *, task: Task, seed: int) -> dict[str, Range]:
    """The 95 % interval of each metric of `measuring.evaluate` that can be had for nearly all draws.

    Of more than `MOST_ROWS` rows, the draws are of that many only, and the interval is as wide as for that many.
    """
    if len(target) > MOST_ROWS:
        chosen = np.random.default_rng(seed).choice(len(target), MOST_ROWS, replace=False)
        answers, target = answers.of(chosen), target[chosen]
    values: dict[str, list[Floats]] = {}
    for weights in _weights(len(target), seed):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measure = _of_classes if task == "classification" else _of_numbers
            for name, numbers in measure(answers, target, weights):
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


def _of_numbers(answers: Predicted, target: NDArray[np.generic], weights: Floats) -> Iterator[tuple[str, Floats]]:
    actual = target.astype(np.float64)
    off = actual - answers.labels
    count = weights.sum(axis=1)
    squares = weights @ off**2
    mean = weights @ actual / count
    # About the mean of all: squares of large numbers would cancel each other.
    shifted = actual - actual.mean()
    around = weights @ shifted**2 - count * (mean - actual.mean()) ** 2
    yield "r2", np.where(around > 0, 1 - squares / around, np.nan)
    yield "rmse", np.sqrt(squares / count)
    yield "mae", weights @ np.abs(off) / count


def _of_classes(answers: Predicted, target: NDArray[np.generic], weights: Floats) -> Iterator[tuple[str, Floats]]:
    count = weights.sum(axis=1)
    yield "accuracy", weights @ (target == answers.labels).astype(np.float64) / count
    labels, codes = np.unique(np.concatenate([target, answers.labels]), return_inverse=True)
    if len(labels) <= _MOST_CLASSES:
        actual, predicted = codes[: len(target)], codes[len(target) :]
        yield from _of_tables(actual, predicted, weights, len(labels))
    yield from _of_probabilities(answers, target, weights, count)


def _of_tables(
    actual: NDArray[np.intp], predicted: NDArray[np.intp], weights: Floats, labels: int
) -> Iterator[tuple[str, Floats]]:
    hits = np.column_stack([weights @ ((actual == at) & (predicted == at)) for at in range(labels)])
    have = np.column_stack([weights @ (actual == at) for at in range(labels)])
    said = np.column_stack([weights @ (predicted == at) for at in range(labels)])
    # As scikit-learn does: the recall of labels that a draw has no row of does not count, and an F1 of nothing is none.
    yield "balanced_accuracy", np.nanmean(np.where(have > 0, hits / have, np.nan), axis=1)
    there = have + said > 0
    yield "f1_macro", np.nanmean(np.where(there, 2 * hits / (have + said), np.nan), axis=1)


def _of_probabilities(
    answers: Predicted, target: NDArray[np.generic], weights: Floats, count: Floats
) -> Iterator[tuple[str, Floats]]:
    classes, probabilities = answers.classes, answers.probabilities
    if classes is None or set(target.tolist()) != set(classes.tolist()):
        return
    if answers.ranking is not None:
        yield "roc_auc", areas(answers.ranking, target == classes[1], weights)
    elif probabilities is not None and len(classes) <= _MOST_CLASSES:
        each = [areas(probabilities[:, at], target == label, weights) for at, label in enumerate(classes)]
        yield "roc_auc", np.mean(each, axis=0)
    if probabilities is not None:
        own = own_probabilities(probabilities, classes, target) / probabilities.sum(axis=1)
        yield "log_loss", weights @ -np.log(np.clip(own, _LEAST_PROBABILITY, 1)) / count


def areas(ranking: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """The area under the ROC curve for each draw: of all pairs of a positive and another row, the share that is ranked
    rightly; rows that are ranked alike count half."""
    order = np.argsort(ranking, kind="stable")
    ranked, drawn = ranking[order], weights[:, order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    hits = np.add.reduceat(drawn * positive[order], starts, axis=1)
    misses = np.add.reduceat(drawn * ~positive[order], starts, axis=1)
    below = np.cumsum(misses, axis=1) - misses
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    found: Floats = (hits * (below + misses / 2)).sum(axis=1) / pairs
    return found
