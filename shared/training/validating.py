"""The folds of a training: models fitted on parts of its rows, and what follows from them for the model of all rows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared.errors import FitFailed
from shared.estimators.signature import Uncertainty
from shared.evaluation import conformal
from shared.evaluation.answers import Predicted
from shared.evaluation.assessment import NO_PROBABILITIES, Fold, Promise
from shared.evaluation.folds import OutOfFold, out_of_fold
from shared.training.fitting import errors_of_fit
from shared.training.folding import USUAL_FOLDS, NoFolds, folds_of
from shared.training.model_fit import Fit, fit_silently
from shared.training.preparing import Prepared
from shared.training.steps import VALIDATING, OnStep, percent_of_folds
from shared.training.time_left import TimeLeft

# Nobody has asked for the usual folds: they may take this long.
_MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Validation:
    """The folds, what is promised of single predictions, and why there may be none of either."""

    folds: list[Fold] = field(default_factory=list)
    uncertainty: Uncertainty | None = None
    promise: Promise | None = None
    notes: list[str] = field(default_factory=list)
    # What the models of the folds say; None without folds, and `reason` is why.
    found: OutOfFold | None = None
    reason: str | None = None


def validate(
    ready: Prepared, fit: Fit, tested: Predicted, on_step: OnStep, time_left: TimeLeft, *, usual: int
) -> Validation:
    """Fit the folds where they are wanted and affordable; `tested` is what the model says of the rows kept back.

    `usual` is how many folds there are where the request does not say.
    """
    asked = _asked(ready)
    count = usual if asked is None else asked
    if count == 0 or ready.spec.batches is not None:
        none = "a training in batches never has all of its rows in memory"
        return _without("none were asked for ('folds' says how many)" if ready.spec.batches is None else none)
    expected = fit.seconds * count
    if asked is None and expected > time_left.spare(_MOST_SECONDS):
        return _without(f"{count} more fits would take about {expected:,.0f} s; to have them, ask for {count} 'folds'")
    try:
        # A model of few rows may refuse to answer, too.
        with errors_of_fit(ready.estimator):
            found = _fitted(ready, count, on_step)
    except NoFolds as reason:
        return _without(str(reason))
    except MemoryError:
        if asked is not None:
            raise
        return _without("they would need more memory than the job may take; ask for 'folds' and a higher limit")
    except FitFailed as failure:
        return _without(f"a model could not be fitted to a part of the rows ({failure.detail})")
    return _promised(ready, found, tested)


def _asked(ready: Prepared) -> int | None:
    """How many folds the request asks for: who wants a threshold to be chosen wants folds, the same each time."""
    asked, threshold = ready.spec.split.folds, ready.spec.threshold
    if threshold is None or not threshold.needs_folds:
        return asked
    return asked or USUAL_FOLDS


def _fitted(ready: Prepared, count: int, on_step: OnStep) -> OutOfFold:
    train = ready.split.train
    target = ready.target[train]
    parts = folds_of(target, ready.spec, count, task=ready.task, by=ready.deciding(train))
    on_step("validating", VALIDATING, measured=True)
    return out_of_fold(
        lambda rows: fit_silently(ready, train[rows]),
        ready.data.iloc[train],
        target,
        parts,
        task=ready.task,
        told=lambda done: on_step("validating", percent_of_folds(done, len(parts)), measured=True),
    )


def _promised(ready: Prepared, found: OutOfFold, tested: Predicted) -> Validation:
    target = ready.target[ready.split.train][found.rows]
    uncertainty = conformal.uncertainty_of(found.answers, target)
    if uncertainty is None:
        return Validation(folds=found.folds, notes=[f"No intervals: {_why(ready, found)}."], found=found)
    checked = conformal.check(uncertainty, tested, ready.target[ready.split.test])
    promise = Promise(
        level=uncertainty.level,
        margin=uncertainty.margin,
        rows=len(target),
        coverage=checked.coverage,
        size=checked.size,
    )
    return Validation(found.folds, uncertainty, promise, found=found)


def _why(ready: Prepared, found: OutOfFold) -> str:
    if ready.task == "classification" and found.answers.probabilities is None:
        return NO_PROBABILITIES
    if not np.isfinite(_numbers(found.answers)).all():
        return "the models of the folds give no number for some rows"
    return f"{len(found.rows)} rows are too few to promise anything"


def _numbers(answers: Predicted) -> Any:
    return answers.labels if answers.classes is None else answers.probabilities


def _without(reason: str) -> Validation:
    return Validation(notes=[f"No folds, and so no intervals: {reason}."], reason=reason)
