"""From scores to probabilities, numbers and labels."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.columns import sigmoid_pairs
from shared.compiled.parts import Floats

# Probabilities from scores of shape (rows,) or (rows, outputs).
Link = Callable[[Floats], Floats]
# The position of the label of each row, from its scores.
Choice = Callable[[Floats], NDArray[np.intp]]


def _as_they_are(scores: Floats) -> Floats:
    return scores


def _sigmoid(scores: Floats) -> Floats:
    decisions = np.ascontiguousarray(scores.reshape(-1))
    found = np.empty((len(decisions), 2))
    sigmoid_pairs(decisions, found)
    return found


def _sigmoid_of_double(scores: Floats) -> Floats:
    return _sigmoid(2 * scores)


def _softmax(scores: Floats) -> Floats:
    found = scores - np.max(scores, axis=1).reshape(-1, 1)
    np.exp(found, out=found)
    found /= np.sum(found, axis=1).reshape(-1, 1)
    return np.asarray(found)


def _softmax_of_boost(scores: Floats) -> Floats:
    """As AdaBoostClassifier: of the one decision between two classes, or of one per class."""
    if scores.shape[1] == 2:
        decision = scores[:, 1] - scores[:, 0]
        return _softmax(np.vstack([-decision, decision]).T / 2)
    return _softmax(scores / (scores.shape[1] - 1))


def _each_sigmoid(scores: Floats) -> Floats:
    """One class against the others, for each; then brought to a sum of 1."""
    if scores.ndim == 1:
        return _sigmoid(scores)
    return _of_a_sum(_sigmoid(scores)[:, 1].reshape(scores.shape))


def _modified_huber(scores: Floats) -> Floats:
    shares = np.clip(scores, -1, 1)
    shares += 1.0
    shares /= 2.0
    if scores.ndim == 1:
        return np.stack([1.0 - shares, shares], axis=1)
    return _of_a_sum(shares)


def _of_a_sum(shares: Floats) -> Floats:
    """Shares of their sum; equal ones where all are 0."""
    total = shares.sum(axis=1)
    nothing = total == 0
    shares[nothing] = 1
    total[nothing] = shares.shape[1]
    shares /= total.reshape(len(shares), -1)
    return shares


def _exponentials(scores: Floats) -> Floats:
    """Of logarithms that lack a common term. The largest ones are kept apart, which loses fewer digits."""
    largest = np.max(scores, axis=1, keepdims=True)
    are_largest = scores == largest
    others = np.where(are_largest, -np.inf, scores)
    count = np.sum(are_largest.astype(np.float64), axis=1, keepdims=True)
    rest = np.sum(np.exp(others - np.where(np.isfinite(largest), largest, 0)), axis=1, keepdims=True)
    rest = np.where(rest == 0, rest, rest / count)
    return np.asarray(np.exp(scores - (np.log1p(rest) + np.log(count) + largest)))


def _shares_of_likelihoods(scores: Floats) -> Floats:
    relative = scores - scores.max(axis=1)[:, np.newaxis]
    return np.asarray(np.exp(relative - np.log(np.exp(relative).sum(axis=1)[:, np.newaxis])))


def _exponential(scores: Floats) -> Floats:
    return np.exp(scores)


def _highest(scores: Floats) -> NDArray[np.intp]:
    found: NDArray[np.intp] = scores.argmax(axis=1)
    return found


def _above_zero(scores: Floats) -> NDArray[np.intp]:
    return (scores.reshape(-1) > 0).astype(np.intp)


def _second_above_first(scores: Floats) -> NDArray[np.intp]:
    return (scores[:, 1] - scores[:, 0] > 0).astype(np.intp)


def _not_below_zero(scores: Floats) -> NDArray[np.intp]:
    return (scores.reshape(-1) >= 0).astype(np.intp)


def _likelier(scores: Floats) -> NDArray[np.intp]:
    return (_sigmoid(scores)[:, 1] > 0.5).astype(np.intp)


def _highest_softmax(scores: Floats) -> NDArray[np.intp]:
    return _highest(_softmax(scores))


# For classifiers; a name is what a form has.
LINKS: Final[dict[str, Link]] = {
    "as_they_are": _as_they_are,
    "sigmoid": _sigmoid,
    "sigmoid_of_double": _sigmoid_of_double,
    "softmax": _softmax,
    "softmax_of_boost": _softmax_of_boost,
    "each_sigmoid": _each_sigmoid,
    "modified_huber": _modified_huber,
    "exponentials": _exponentials,
    "shares_of_likelihoods": _shares_of_likelihoods,
}
# For regressors.
NUMBERS: Final[dict[str, Link]] = {"as_they_are": _as_they_are, "exponential": _exponential}
CHOICES: Final[dict[str, Choice]] = {
    "highest": _highest,
    "above_zero": _above_zero,
    "second_above_first": _second_above_first,
    "not_below_zero": _not_below_zero,
    "likelier": _likelier,
    "highest_softmax": _highest_softmax,
}
