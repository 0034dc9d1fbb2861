"""Fits one model to some of the rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.evaluation.labels import coded, plain
from shared.training import fit_progress
from shared.training.building import build_tree
from shared.training.fitting import errors_of_fit, kept_warnings, threads_of_share
from shared.training.libraries import rest
from shared.training.preparing import Prepared
from shared.training.recipe import build_model, last_step
from shared.training.split import Positions
from shared.training.steps import FITTING, OnStep, percent_of_fit

Weights = NDArray[np.float64] | None


@dataclass(frozen=True)
class Fit:
    """A fitted model, how long that took and what scikit-learn warned of."""

    model: Any
    seconds: float
    warnings: list[str]


# Fits the model of a training to the rows to learn from.
Fitting = Callable[[Prepared, OnStep], Fit]


def fit_shown(ready: Prepared, on_step: OnStep) -> Fit:
    """Fit a model to the rows to learn from, and tell how far it is where that can be seen.

    Raises:
        FitFailed: when the estimator refuses.
    """

    def fit(model: Any, inputs: Any, target: Any, weights: Weights) -> None:
        shown = Shown(on_step, measured=fit_progress.can_be_seen(model))
        fit_progress.fit(model, inputs, target, weights=weights, told=shown.tell)

    started = time.perf_counter()
    with kept_warnings() as sentences:
        model = _fitted(ready, ready.split.train, fit)
    return Fit(model=model, seconds=time.perf_counter() - started, warnings=sentences)


def fit_silently(ready: Prepared, rows: Positions) -> Any:
    """The same model, without a word.

    Raises:
        FitFailed: when the estimator refuses.
    """
    with kept_warnings():
        return _fitted(ready, rows, _plain_fit)


def _plain_fit(model: Any, inputs: Any, target: Any, weights: Weights) -> None:
    fit_progress.fit_silently(model, inputs, target, weights=weights)


def _fitted(ready: Prepared, rows: Positions, fit: Callable[[Any, Any, Any, Weights], None]) -> Any:
    spec, target = ready.spec, ready.target[rows]
    classes = ready.signature.classes or []
    tree = spec.model.tree()
    with errors_of_fit(ready.estimator, of_libraries=bool(tree.libraries())):
        # Rows of a fold may lack a class.
        shown = [plain(label) for label in coded(target)[0]] if classes else []
        threads = threads_of_share()
        built = build_tree(tree, seed=spec.random_state, classes=classes, shown=shown, threads=threads)
        model = build_model(ready.plan, built.estimator, arrays=bool(tree.libraries()))
        fit(model, ready.data.iloc[rows], target, None if ready.weights is None else ready.weights[rows])
        built.name_weights()
        rest(last_step(model))
    return model


class Shown:
    """Shows the share of the fit that is done, each percentage once."""

    def __init__(self, on_step: OnStep, *, measured: bool) -> None:
        """Begins with no share at all; `measured` says that there will be others."""
        self._on_step = on_step
        self._percent = FITTING
        on_step("fitting", FITTING, measured=measured)

    def tell(self, share: float) -> None:
        """Show that this share is done."""
        percent = percent_of_fit(share)
        if percent > self._percent:
            self._percent = percent
            self._on_step("fitting", percent, measured=True)
