"""Tells how far a fit is, for estimators that show it. The fitted model is the same as that of a plain `fit`.

Each way is scikit-learn's own:

    in slices   forests grow by `warm_start`, which draws the same numbers as one fit with that seed
    a monitor   gradient boosting calls one after each stage
    callbacks   of logistic regression, after each iteration of its solver; of other libraries, after each round
    a counter   some keep a public count of their iterations, which a thread reads again and again during the fit

Where the number of iterations is only a maximum, a fit can end before it comes to 100 %. Other estimators with a
`warm_start` are not fitted in slices, because the model would differ: bagging forgets the seeds of its earlier slices,
networks restart their optimiser.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from shared.training.cluster.joining import joined_cluster, members_side_by_side
from shared.training.library_progress import Told, Way, way_of_library
from shared.training.recipe import last_step

_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_LEAST_SLICE = 8
_SLICE_SECONDS = 1.0
_LOOK_SECONDS = 0.3


def can_be_seen(model: BaseEstimator) -> bool:
    """Whether `fit` will tell how far it is."""
    return _way_of(last_step(model)) is not None


def fit(model: Any, inputs: Any, target: Any, *, weights: NDArray[np.float64] | None = None, told: Told) -> None:
    """Fit the model as its own `fit` does, and tell how far it is where that can be seen.

    `weights` say how much each row counts.
    """
    way = _way_of(last_step(model))
    if way is None:
        fit_silently(model, inputs, target, weights=weights)
        return
    way(last_step(model), _inputs_of_last(model, inputs, target), target, told, _further(weights))


def fit_silently(model: Any, inputs: Any, target: Any, *, weights: NDArray[np.float64] | None) -> None:
    """Fit the model as its own `fit` does."""
    if joined_cluster() is not None:
        inputs = _inputs_of_last(model, inputs, target)
        with members_side_by_side():
            last_step(model).fit(inputs, target, **_further(weights))
        return
    last = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    model.fit(inputs, target, **{f"{last}{name}": value for name, value in _further(weights).items()})


def _inputs_of_last(model: Any, inputs: Any, target: Any) -> Any:
    """What the pipeline's own `fit` gives to its last step."""
    return model[:-1].fit_transform(inputs, target) if isinstance(model, Pipeline) else inputs


def _further(weights: NDArray[np.float64] | None) -> dict[str, Any]:
    return {} if weights is None else {"sample_weight": weights}


def _way_of(estimator: Any) -> Way | None:
    match estimator:
        case GradientBoostingClassifier() | GradientBoostingRegressor():
            return _with_monitor
        case LogisticRegression(solver="lbfgs"):
            return _with_callbacks
        case HistGradientBoostingClassifier() | HistGradientBoostingRegressor():
            return _counting(lambda fitted: fitted.n_iter_, most=estimator.max_iter)
        case MLPClassifier(solver="sgd" | "adam") | MLPRegressor(solver="sgd" | "adam"):
            return _counting(lambda fitted: fitted.n_iter_, most=estimator.max_iter)
        case AdaBoostClassifier() | AdaBoostRegressor():
            return _counting(lambda fitted: len(fitted.estimators_), most=estimator.n_estimators)
    return _in_slices if _grows_alike(estimator) else way_of_library(estimator)


def _grows_alike(estimator: Any) -> bool:
    """Whether slices give the same model as one fit: only with a seed, and without class weights such as "balanced"."""
    return (
        isinstance(estimator, _FORESTS)
        # There, all trees are fitted side by side: one slice after the other would take longer.
        and joined_cluster() is None
        and isinstance(estimator.random_state, int)
        and not isinstance(getattr(estimator, "class_weight", None), str)
    )


def _in_slices(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    asked = {name: getattr(estimator, name) for name in ("n_estimators", "warm_start", "oob_score")}
    total, done, size = asked["n_estimators"], 0, _LEAST_SLICE
    try:
        while done < total:
            done = min(total, done + size)
            # The out-of-bag score is computed once, with the last slice.
            oob_score = asked["oob_score"] if done == total else False
            estimator.set_params(n_estimators=done, warm_start=True, oob_score=oob_score)
            started = time.perf_counter()
            estimator.fit(inputs, target, **further)
            told(done / total)
            seconds = max(time.perf_counter() - started, 1e-3)
            size = max(_LEAST_SLICE, int(size * _SLICE_SECONDS / seconds))
    finally:
        estimator.set_params(**asked)


def _with_monitor(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    def monitor(stage: int, _estimator: Any, _variables: dict[str, Any]) -> bool:
        told((stage + 1) / estimator.n_estimators)
        return False

    estimator.fit(inputs, target, monitor=monitor, **further)


def _with_callbacks(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    estimator.set_callbacks(_Iterations(told))
    try:
        estimator.fit(inputs, target, **further)
    finally:
        # Otherwise it would be stored with the model.
        estimator.set_callbacks()


class _Iterations:
    """Counts the tasks right below the fit; scikit-learn names the methods."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing is to be prepared."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing is left behind."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Ends are enough."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:  # noqa: ARG002 - scikit-learn passes it by name
        """Tell, and let the fit go on."""
        if context.parent is not None and context.parent.parent is None and context.parent.max_subtasks:
            self._told((context.task_id + 1) / context.parent.max_subtasks)
        return False


def _counting(count: Callable[[Any], int], *, most: int) -> Way:
    def way(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
        with _looking(lambda: told(count(estimator) / most)):
            estimator.fit(inputs, target, **further)

    return way


@contextmanager
def _looking(look: Callable[[], None]) -> Iterator[None]:
    """Look again and again while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(_LOOK_SECONDS):
            try:
                look()
            except AttributeError:
                # It has not begun to count.
                continue

    thread = threading.Thread(target=run, name="fit-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
