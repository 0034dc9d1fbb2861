"""Fits one model to some of the rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.estimators.parameters import settings_of
from shared.training import fit_progress
from shared.training.fitting import errors_of_fit, kept_warnings
from shared.training.labels import named_weights, sought_weights
from shared.training.preparing import Prepared
from shared.training.recipe import build_estimator, build_model, last_step
from shared.training.split import Positions
from shared.training.steps import FITTING, OnStep, percent_of_fit


@dataclass(frozen=True)
class Fit:
    """A fitted model, how long that took and what scikit-learn warned of."""

    model: Any
    seconds: float
    warnings: list[str]


def fit_shown(ready: Prepared, rows: Positions, on_step: OnStep) -> Fit:
    """Fit a model to these rows, and tell how far it is where that can be seen.

    Raises:
        FitFailed: when the estimator refuses.
    """

    def fit(model: Any, inputs: Any, target: Any) -> None:
        shown = _Shown(on_step, measured=fit_progress.can_be_seen(model))
        fit_progress.fit(model, inputs, target, told=shown.tell)

    started = time.perf_counter()
    with kept_warnings() as sentences:
        model = _fitted(ready, rows, fit)
    return Fit(model=model, seconds=time.perf_counter() - started, warnings=sentences)


def fit_silently(ready: Prepared, rows: Positions) -> Any:
    """The same model, without a word.

    Raises:
        FitFailed: when the estimator refuses.
    """
    with kept_warnings():
        return _fitted(ready, rows, lambda model, inputs, target: model.fit(inputs, target))


def _fitted(ready: Prepared, rows: Positions, fit: Callable[[Any, Any, Any], None]) -> Any:
    spec, estimator = ready.spec, ready.estimator
    settings = settings_of(estimator, spec.model.params)
    if estimator.takes_seed and "random_state" not in spec.model.params:
        settings["random_state"] = spec.random_state
    classes = ready.signature.classes or []
    settings = named_weights(settings, classes, estimator)
    with errors_of_fit(estimator):
        model = build_model(ready.plan, build_estimator(estimator, sought_weights(settings, classes, estimator)))
        fit(model, ready.data.iloc[rows], ready.target[rows])
        if "class_weight" in settings:
            last_step(model).set_params(class_weight=settings["class_weight"])
    return model


class _Shown:
    """Shows the share of the fit that is done, each percentage once."""

    def __init__(self, on_step: OnStep, *, measured: bool) -> None:
        self._on_step = on_step
        self._percent = FITTING
        on_step("fitting", FITTING, measured=measured)

    def tell(self, share: float) -> None:
        percent = percent_of_fit(share)
        if percent > self._percent:
            self._percent = percent
            self._on_step("fitting", percent, measured=True)
