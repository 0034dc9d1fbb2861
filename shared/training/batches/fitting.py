"""Fits one model to rows that are read from files, some at a time."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from shared.errors import FitFailed
from shared.training.batches.dealing import Dealt
from shared.training.building import Built, build_tree
from shared.training.compiling import named_inputs
from shared.training.fitting import errors_of_fit, kept_warnings, threads_of_share
from shared.training.labels import labels_of
from shared.training.model_fit import Fit, Shown
from shared.training.preparing import Prepared
from shared.training.recipe import build_model, last_step
from shared.training.steps import OnStep

_BALANCED = "balanced"


class _Batch(NamedTuple):
    inputs: pd.DataFrame
    target: NDArray[Any]
    # By the name that a fit has for it.
    further: dict[str, Any]


def fit_in_batches(dealt: Dealt, ready: Prepared, on_step: OnStep) -> Fit:
    """Fit the recipe, then show the estimator each batch as often as the request says, and tell how far it is.

    Raises:
        FitFailed: when the estimator refuses.
    """
    started = time.perf_counter()
    with kept_warnings() as sentences:
        model = _Fitting(dealt, ready, Shown(on_step, measured=True)).run()
    return Fit(model=model, seconds=time.perf_counter() - started, warnings=sentences)


class _Fitting:
    def __init__(self, dealt: Dealt, ready: Prepared, shown: Shown) -> None:
        assert ready.spec.batches is not None, "batches were asked for"  # noqa: S101 - callers have looked
        self._dealt, self._ready, self._shown = dealt, ready, shown
        self._passes = ready.spec.batches.passes
        self._tree = ready.spec.model.tree()
        self._classes = ready.learnt.values if ready.task == "classification" else None

    def run(self) -> Any:
        with errors_of_fit(self._ready.estimator, of_libraries=bool(self._tree.libraries())):
            built = self._built()
            model = build_model(self._ready.plan, built.estimator, arrays=bool(self._tree.libraries()))
            recipe = model[:-1] if isinstance(model, Pipeline) else None
            if recipe is not None:
                self._fit_recipe(recipe)
            self._show(last_step(model), recipe)
            built.name_weights()
            if self._balances:
                last_step(model).set_params(class_weight=_BALANCED)
        return model

    def _built(self) -> Built:
        classes, threads = self._ready.signature.classes or [], threads_of_share()
        built = build_tree(
            self._tree, seed=self._ready.spec.random_state, classes=classes, shown=classes, threads=threads
        )
        if self._balances:
            # What sees no more than a batch cannot know these weights: they are those of the rows below.
            built.estimator.set_params(class_weight=None)
        return built

    @property
    def _balances(self) -> bool:
        return bool(self._tree.params.get("class_weight") == _BALANCED)

    def _fit_recipe(self, recipe: Pipeline) -> None:
        """Fit all of it to the first batch, and what can learn more to the others, too."""
        batches = self._batches()
        first = next(batches, None)
        if first is None:
            return
        with _in_turn():
            recipe.fit(first.inputs, first.target)
        growing = list(_growing(recipe))
        for batch in batches if growing else ():
            for branch in growing:
                branch.grow(batch.inputs)

    def _show(self, estimator: Any, recipe: Pipeline | None) -> None:
        known = {} if self._classes is None else {"classes": self._classes}
        done, of = 0, self._passes * self._dealt.count
        for _ in range(self._passes):
            for batch in self._batches():
                inputs = batch.inputs if recipe is None else _made(recipe, batch.inputs)
                estimator.partial_fit(inputs, batch.target, **known, **batch.further)
                done += 1
                self._shown.tell(done / of)
        if not done:
            raise FitFailed(f"'{self._ready.spec.sample_weight}' is 0 in each row to learn from. Add rows that count.")

    def _batches(self) -> Iterator[_Batch]:
        ready = self._ready
        for rows in self._dealt.batches():
            target = labels_of(rows[ready.column.name], ready.column, ready.estimator)
            weights = self._weights(rows, target)
            # Where no row counts, there is nothing to learn, and estimators refuse.
            if weights is None or weights.any():
                further = {} if weights is None else {"sample_weight": weights}
                yield _Batch(named_inputs(rows, ready.signature), target, further)

    def _weights(self, rows: pd.DataFrame, target: NDArray[Any]) -> NDArray[np.float64] | None:
        """How much each row counts by its column and by its label; None where all count alike."""
        column, learnt = self._ready.spec.sample_weight, self._ready.learnt
        own = None if column is None else rows[column].to_numpy(dtype="float64")
        if not self._balances or learnt.rows is None:
            return own
        each = learnt.count / (len(learnt.values) * learnt.rows)
        by_label: NDArray[np.float64] = each[np.searchsorted(learnt.values, target)]
        return by_label if own is None else own * by_label


def _made(recipe: Pipeline, inputs: pd.DataFrame) -> Any:
    with _in_turn():
        return recipe.transform(inputs)


def _in_turn() -> joblib.parallel_config:
    """Columns one after the other: threads for them take more memory than they save time, and memory is short."""
    return joblib.parallel_config(backend="threading", n_jobs=1)


class _Branch(NamedTuple):
    """A scaler that goes on learning, and the fitted steps before it."""

    columns: list[str] | None
    before: list[Any]
    scaler: StandardScaler | MinMaxScaler

    def grow(self, inputs: pd.DataFrame) -> None:
        values: Any = inputs if self.columns is None else inputs[self.columns]
        for step in self.before:
            values = step.transform(values)
        self.scaler.partial_fit(values)


def _growing(recipe: Pipeline) -> Iterator[_Branch]:
    """Means, deviations and bounds of numbers: where few rows are far from all others, one batch may have none."""
    first = recipe[0]
    if isinstance(first, ColumnTransformer):
        for _, branch, columns in first.transformers_:
            yield from _branch(branch, list(columns))
    else:
        yield from _branch(recipe, None)


def _branch(steps: BaseEstimator | str, columns: list[str] | None) -> Iterator[_Branch]:
    listed = [step for _, step in steps.steps] if isinstance(steps, Pipeline) else [steps]
    *before, last = listed
    if isinstance(last, StandardScaler | MinMaxScaler) and all(isinstance(step, SimpleImputer) for step in before):
        yield _Branch(columns, before, last)
