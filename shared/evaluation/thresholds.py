"""Chooses from which probability on a row gets the positive label, so that a metric is best or a cost is lowest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.estimators.thresholds import ErrorCosts, ThresholdChoice
from shared.evaluation.answers import Floats, Predicted

# From where a row gets a label that nothing else is said about.
HALF = 0.5
# A curve has no more points than a picture can show.
_MOST_POINTS = 200
_MOST_DIGITS = 17


@dataclass(frozen=True)
class Counts:
    """How many rows are rightly and wrongly called positive and negative, one entry for each threshold."""

    true_positive: Floats
    false_positive: Floats
    false_negative: Floats
    true_negative: Floats


@dataclass(frozen=True)
class Chosen:
    """The best threshold, with the score at it and at one half, and the score over thresholds."""

    value: float
    score: float
    score_at_half: float
    thresholds: list[float]
    scores: list[float]
    # Whether all rows get the same label with it.
    one_label: bool


def choose(probabilities: Floats, positive: NDArray[np.bool_], choice: ThresholdChoice) -> Chosen:
    """The threshold that suits rows best whose probability of the positive label is known, and whether they have it.

    It lies between two neighbouring probabilities, where nothing changes for a while; of equally good ones it is the
    one that is nearest to one half.
    """
    edges = _edges(probabilities)
    candidates = _candidates(edges)
    counts = count(probabilities, positive, candidates)
    scores = score(counts, choice)
    better = -scores if choice.cost is not None else scores
    best = np.flatnonzero(better == better.max())
    at = int(best[np.argmin(np.abs(candidates[best] - HALF))])
    said = counts.true_positive[at] + counts.false_positive[at]
    drawn = np.union1d(np.linspace(0, len(candidates) - 1, _MOST_POINTS).round().astype(np.intp), [at])
    return Chosen(
        value=_shortened(float(candidates[at]), edges),
        score=float(scores[at]),
        score_at_half=float(scores[np.searchsorted(candidates, HALF)]),
        thresholds=candidates[drawn].tolist(),
        scores=scores[drawn].tolist(),
        one_label=bool(said in {0, len(positive)}),
    )


def count(probabilities: Floats, positive: NDArray[np.bool_], thresholds: Floats) -> Counts:
    """What becomes of the rows at each of the thresholds. A probability that is no number is below all of them."""
    known = np.where(np.isnan(probabilities), -np.inf, probabilities)
    having, lacking = np.sort(known[positive]), np.sort(known[~positive])
    missed = np.searchsorted(having, thresholds).astype(np.float64)
    spared = np.searchsorted(lacking, thresholds).astype(np.float64)
    return Counts(len(having) - missed, len(lacking) - spared, missed, spared)


def score(counts: Counts, choice: ThresholdChoice) -> Floats:
    """The metric, or the mean cost of a row, at each threshold; 0 where scikit-learn defines a metric so."""
    if choice.cost is not None:
        return _mean_cost(counts, choice.cost)
    assert choice.metric is not None, "a threshold that is given is not chosen"  # noqa: S101 - an invariant
    return _METRICS[choice.metric](counts)


def relabelled(answers: Predicted, value: float, positive: Any) -> Predicted:
    """The answers with the labels that the threshold gives, which are those of the model that has it."""
    classes, probabilities = answers.classes, answers.probabilities
    assert classes is not None and probabilities is not None, "the estimator gives them"  # noqa: S101, PT018 - an invariant
    at = classes.tolist().index(positive)
    labels = np.where(probabilities[:, at] >= value, classes[at], classes[1 - at]).astype(classes.dtype)
    return Predicted(labels, classes, probabilities)


def _edges(probabilities: Floats) -> Floats:
    """The different probabilities, with 0 and 1. From above one to the next one, the labels are the same."""
    finite = probabilities[np.isfinite(probabilities)]
    return np.unique(np.clip(np.concatenate([[0.0, 1.0], finite]), 0.0, 1.0))


def _candidates(edges: Floats) -> Floats:
    """One number for all that gives the same labels, and one half."""
    low, high = edges[:-1], edges[1:]
    middles = low + (high - low) / 2
    found = np.where(middles > low, middles, high)
    return np.union1d(found[(found > 0) & (found < 1)], [HALF])


def _shortened(threshold: float, edges: Floats) -> float:
    """A number with few digits that gives the same labels."""
    at = int(np.searchsorted(edges, threshold))
    low, high = float(edges[at - 1]), float(edges[at])
    for digits in range(1, _MOST_DIGITS):
        rounded = round(threshold, digits)
        if low < rounded < high:
            return rounded
    return threshold


def _mean_cost(counts: Counts, cost: ErrorCosts) -> Floats:
    total = counts.true_positive + counts.false_positive + counts.false_negative + counts.true_negative
    wrong = cost.false_positive * counts.false_positive + cost.false_negative * counts.false_negative
    return np.asarray(wrong / total)


def _accuracy(counts: Counts) -> Floats:
    right = counts.true_positive + counts.true_negative
    return _share(right, right + counts.false_positive + counts.false_negative)


def _balanced_accuracy(counts: Counts) -> Floats:
    found = _share(counts.true_positive, counts.true_positive + counts.false_negative)
    spared = _share(counts.true_negative, counts.true_negative + counts.false_positive)
    return (found + spared) / 2


def _f1(counts: Counts) -> Floats:
    wrong = counts.false_positive + counts.false_negative
    return _share(2 * counts.true_positive, 2 * counts.true_positive + wrong)


def _f1_macro(counts: Counts) -> Floats:
    wrong = counts.false_positive + counts.false_negative
    return (_f1(counts) + _share(2 * counts.true_negative, 2 * counts.true_negative + wrong)) / 2


def _matthews_corrcoef(counts: Counts) -> Floats:
    having, lacking = counts.true_positive + counts.false_negative, counts.true_negative + counts.false_positive
    said, unsaid = counts.true_positive + counts.false_positive, counts.true_negative + counts.false_negative
    together = counts.true_positive * counts.true_negative - counts.false_positive * counts.false_negative
    return _share(together, np.sqrt(having) * np.sqrt(lacking) * np.sqrt(said) * np.sqrt(unsaid))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


_METRICS = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "matthews_corrcoef": _matthews_corrcoef,
}
