"""Intervals and sets of labels that hold the truth for a promised share of rows.

Conformal prediction (V. Vovk, "Cross-conformal predictors", 2015): how wrong the models of the folds were about rows
that they had not seen says how wrong the model that is fitted on all of them will be. The promise holds for rows that
come from where the table came from, on average over all of them; it is checked on the rows that were kept back.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.estimators.intervals import sets
from shared.estimators.signature import Uncertainty
from shared.evaluation.answers import Floats, Predicted, own_probabilities

LEVEL = 0.9


@dataclass(frozen=True)
class Checked:
    """What a promise is worth on rows that nothing was fitted on."""

    coverage: float
    # The mean length of an interval, or number of labels in a set.
    size: float


def uncertainty_of(answers: Predicted, target: NDArray[Any]) -> Uncertainty | None:
    """The promise that follows from answers about rows that the models had not seen; None if they are too few.

    A regressor's interval reaches `margin` to either side. A classifier's set has the labels whose probability is at
    least `margin`.
    """
    scores = _scores(answers, target)
    if scores is None:
        return None
    # The quantile for a further row, of which nobody knows where it comes among these.
    rank = math.ceil((len(scores) + 1) * LEVEL)
    if rank > len(scores):
        return None
    score = float(np.partition(scores, rank - 1)[rank - 1])
    if not math.isfinite(score):
        return None
    return Uncertainty(level=LEVEL, margin=score if answers.classes is None else -score)


def check(uncertainty: Uncertainty, answers: Predicted, target: NDArray[Any]) -> Checked:
    """How often the truth is inside, and how much there is inside, for rows that were kept back."""
    if answers.classes is None:
        inside = np.abs(target - answers.labels) <= uncertainty.margin
        return Checked(coverage=float(inside.mean()), size=2 * uncertainty.margin)
    assert answers.probabilities is not None, "a promise about labels comes from probabilities"  # noqa: S101 - an invariant
    least, classes = uncertainty.margin, answers.classes
    chosen = sets(answers.probabilities, least)
    own = own_probabilities(chosen.astype(np.float64), classes, target)
    return Checked(coverage=float(own.mean()), size=float(chosen.sum(axis=1).mean()))


def _scores(answers: Predicted, target: NDArray[Any]) -> Floats | None:
    """How wrong each answer is: the distance, or the probability of the truth with a minus; None if nobody can tell."""
    if answers.classes is None:
        off: Floats = np.abs(target - answers.labels)
        return off if np.isfinite(off).all() else None
    if answers.probabilities is None:
        return None
    return -own_probabilities(answers.probabilities, answers.classes, target)
