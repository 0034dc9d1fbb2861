"""How well a model does that learns from fewer rows, which tells whether more rows would help."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from shared.errors import FitFailed
from shared.evaluation.answers import Predicted, ask
from shared.evaluation.assessment import CurvePoint, LearningCurve, MetricSpread
from shared.evaluation.folds import Parts
from shared.evaluation.metric_names import MAIN
from shared.evaluation.weighted import plain_metrics
from shared.training.fitting import errors_of_fit
from shared.training.folding import USUAL_FOLDS, NoFolds, folds_of
from shared.training.model_fit import Fit, fit_silently
from shared.training.preparing import Prepared
from shared.training.split import Positions
from shared.training.steps import CURVING, OnStep, percent_of_curve
from shared.training.time_left import TimeLeft

_SIZES = 5
# The smallest size, as a share of the largest one, and in rows.
_LEAST_SHARE = 0.1
_LEAST_ROWS = 10

# The answers of a model as the registered one would give them.
Says = Callable[[Predicted], Predicted]


@dataclass(frozen=True)
class Curve:
    """The learning curve, and what is to be said of it."""

    curve: LearningCurve | None = None
    notes: list[str] = field(default_factory=list)


def learning_curve(
    ready: Prepared, fit: Fit, on_step: OnStep, time_left: TimeLeft, *, usual: int, says: Says | None
) -> Curve:
    """Fit models to ever more rows of each fold, if that is asked for; `fit` is the one that was fitted to all.

    It may take a third of the time that is left. A size that cannot be fitted is left out, and the training goes on.
    """
    if not ready.spec.learning_curve:
        return Curve()
    on_step("learning curve", CURVING, measured=True)
    train = ready.split.train
    count = ready.spec.split.folds or usual or USUAL_FOLDS
    try:
        parts = folds_of(ready.target[train], ready.spec, count, task=ready.task, by=ready.deciding(train))
    except NoFolds as reason:
        return _without(str(reason))
    # In time, the last folds have far more rows than the first ones.
    most = max if ready.spec.split.method == "time" else min
    sizes = _sizes(most(len(fitted) for fitted, _ in parts))
    if len(sizes) < 2:
        return _without(f"{len(train)} rows are too few to learn from fewer")
    return _Growing(ready, fit, parts, on_step, time_left.spare(math.inf), says or (lambda answers: answers)).run(sizes)


class _TooLong(Exception):
    """The next size would take more than what is left."""


@dataclass(frozen=True)
class _Growing:
    ready: Prepared
    fit: Fit
    parts: Parts
    on_step: OnStep
    seconds: float
    says: Says
    began: float = field(default_factory=time.monotonic)

    def run(self, sizes: list[int]) -> Curve:
        points: list[CurvePoint] = []
        notes: list[str] = []
        for done, size in enumerate(sizes):
            try:
                self._check_time(size)
                points.append(self._point(size))
            except _TooLong:
                notes.append(self._too_long(size))
                break
            except MemoryError:
                notes.append(
                    f"The learning curve ends before {size:,} rows: they need more memory than the job may take."
                )
                break
            except FitFailed as failure:
                notes.append(f"The learning curve has no {size:,} rows: {failure.detail}")
            self.on_step("learning curve", percent_of_curve(done + 1, len(sizes)), measured=True)
        metric = MAIN[self.ready.task]
        return Curve(LearningCurve(metric=metric, points=points) if points else None, notes)

    def _check_time(self, size: int) -> None:
        """What this size would take, as the fit of all rows shows."""
        share = size / max(len(self.ready.split.train), 1)
        expected = self.fit.seconds * share * len(self._folds_of(size))
        if time.monotonic() - self.began + expected > self.seconds:
            raise _TooLong

    def _too_long(self, size: int) -> str:
        return (
            f"The learning curve ends before {size:,} rows: to fit so many in each fold would take too much of the "
            "job's time. For more, send the request with a higher 'limits.seconds', or fewer 'folds'."
        )

    def _point(self, size: int) -> CurvePoint:
        found = list(self._scores(size))
        if not found:
            raise FitFailed(f"the rows of no fold have two labels among the first {size:,}")
        learnt, measured = zip(*found, strict=True)
        return CurvePoint(rows=size, folds=len(found), training=_spread(learnt), validation=_spread(measured))

    def _scores(self, size: int) -> Iterator[tuple[float, float]]:
        """The metric on the rows that were fitted and on the others, for each fold that has rows enough."""
        ready, train = self.ready, self.ready.split.train
        for fitted, measured in self._folds_of(size):
            rows = train[self._chosen(fitted, size)]
            if ready.task == "classification" and len(np.unique(ready.target[rows])) < 2:
                continue
            with errors_of_fit(ready.estimator, of_libraries=bool(ready.spec.model.tree().libraries())):
                model = fit_silently(ready, rows)
                learnt, unseen = self._score(model, rows), self._score(model, train[measured])
            if learnt is not None and unseen is not None:
                yield learnt, unseen

    def _score(self, model: object, rows: Positions) -> float | None:
        ready = self.ready
        answers = self.says(ask(model, ready.data.iloc[rows]))
        return plain_metrics(answers, ready.target[rows], task=ready.task).get(MAIN[ready.task])

    def _folds_of(self, size: int) -> Parts:
        return [(fitted, measured) for fitted, measured in self.parts if len(fitted) >= size]

    def _chosen(self, fitted: Positions, size: int) -> Positions:
        """Rows by chance, each size with those of the smaller ones; in time, those just before the measured ones."""
        if self.ready.spec.split.method == "time":
            return fitted[-size:]
        order = np.random.default_rng(self.ready.spec.random_state).permutation(len(fitted))
        return fitted[np.sort(order[:size])]


def _sizes(most: int) -> list[int]:
    """Sizes of which each is the same multiple of the one before."""
    least = min(max(round(most * _LEAST_SHARE), _LEAST_ROWS), most)
    return sorted({round(size) for size in np.geomspace(least, most, _SIZES).tolist()})


def _spread(scores: tuple[float, ...]) -> MetricSpread:
    return MetricSpread(mean=float(np.mean(scores)), std=float(np.std(scores)))


def _without(reason: str) -> Curve:
    return Curve(notes=[f"No learning curve: {reason}."])
