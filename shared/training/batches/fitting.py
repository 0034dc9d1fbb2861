"""Fits one model to rows that are read from files, some at a time."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import joblib
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from shared.estimators.tree import Node
from shared.evaluation.labels import plain
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
            if self._tree.params.get("class_weight") == _BALANCED:
                last_step(model).set_params(class_weight=_BALANCED)
        return model

    def _built(self) -> Built:
        classes = self._ready.signature.classes or []
        seed, threads = self._ready.spec.random_state, threads_of_share()
        return build_tree(self._weighted(self._tree), seed=seed, classes=classes, shown=classes, threads=threads)

    def _weighted(self, tree: Node) -> Node:
        """With the weights that "balanced" stands for: an estimator that sees no more than a batch cannot know them."""
        learnt = self._ready.learnt
        if tree.params.get("class_weight") != _BALANCED or learnt.rows is None:
            return tree
        each = learnt.count / (len(learnt.values) * learnt.rows)
        weights = {json.dumps(plain(label)): weight for label, weight in zip(learnt.values, each.tolist(), strict=True)}
        return replace(tree, params=tree.params | {"class_weight": weights})

    def _fit_recipe(self, recipe: Pipeline) -> None:
        """Fit all of it to the first batch, and what can learn more to the others, too."""
        batches = self._batches()
        first = next(batches)
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

    def _batches(self) -> Iterator[_Batch]:
        ready, weight = self._ready, self._ready.spec.sample_weight
        for rows in self._dealt.batches():
            weights = None if weight is None else rows[weight].to_numpy(dtype="float64")
            if weights is not None and not weights.any():
                # None of its rows counts, which estimators refuse.
                continue
            yield _Batch(
                inputs=named_inputs(rows, ready.signature),
                target=labels_of(rows[ready.column.name], ready.column, ready.estimator),
                further={} if weights is None else {"sample_weight": weights},
            )


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
