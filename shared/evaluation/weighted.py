"""Metrics of weighted rows, for many sets of weights at once: the same numbers as scikit-learn's, in a few products.

Weights are of shape (sets, rows); each metric is one number for each set, NaN where it is not defined.
"""

import math
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted, own_probabilities
from shared.evaluation.labels import coded

# A table of labels by labels for each set would take too much beyond.
_MOST_CLASSES = 100
# To rank the rows of many sets of weights for each of more labels would take too long.
_MOST_RANKED = 10
# The smallest probability that counts, as scikit-learn has it for its log loss.
_LEAST_PROBABILITY = np.finfo(np.float64).eps


def weighted_metrics(
    answers: Predicted, target: NDArray[np.generic], weights: Floats, *, task: Task
) -> dict[str, Floats]:
    """The metrics of `measuring.evaluate` that there are, for each set of weights."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # Means of nothing are NaN, which is meant.
        warnings.simplefilter("ignore")
        return dict((_of_classes if task == "classification" else _of_numbers)(answers, target, weights))


def plain_metrics(answers: Predicted, target: NDArray[np.generic], *, task: Task) -> dict[str, float]:
    """The metrics that are defined for some rows which count alike."""
    found = weighted_metrics(answers, target, np.ones((1, len(target))), task=task)
    return {name: float(numbers[0]) for name, numbers in found.items() if math.isfinite(numbers[0])}


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
    labels, codes = coded(np.concatenate([target, answers.labels]))
    if len(labels) <= _MOST_CLASSES:
        actual, predicted = codes[: len(target)], codes[len(target) :]
        yield from _of_tables(actual, predicted, weights, len(labels))
    yield from _of_probabilities(answers, target, weights, count)


def _of_tables(
    actual: NDArray[np.intp], predicted: NDArray[np.intp], weights: Floats, labels: int
) -> Iterator[tuple[str, Floats]]:
    each = np.arange(labels)
    is_actual, is_predicted = actual[:, None] == each, predicted[:, None] == each
    hits = weights @ (is_actual & is_predicted).astype(np.float64)
    have, said = weights @ is_actual.astype(np.float64), weights @ is_predicted.astype(np.float64)
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
    elif probabilities is not None and (len(classes) <= _MOST_RANKED or len(weights) == 1):
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
