"""Builds what is fitted: the estimator, behind the steps that its plan asks for.

Only classes of scikit-learn and of the library that is asked for, so that a downloaded model loads wherever they are.
"""

from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline

from shared.estimators.catalogue import Estimator
from shared.training import libraries
from shared.training.column_steps import (
    boolean_steps,
    category_steps,
    known_words,
    median,
    number_steps,
    scaling_steps,
    text_steps,
)
from shared.training.cycles import cycle_steps
from shared.training.plan import Plan
from shared.training.treatment import Role

Branch = tuple[str, Any, Any]


def build_estimator(estimator: Estimator, settings: dict[str, Any], *, threads: int = 1) -> BaseEstimator:
    """The unfitted estimator. Module and class come from the estimator table, never from a request."""
    if estimator.library is not None:
        return libraries.build(estimator, settings, threads=threads)
    found: BaseEstimator = getattr(import_module(f"sklearn.{estimator.module}"), estimator.name)(**settings)
    return found


def build_model(plan: Plan, estimator: BaseEstimator, *, arrays: bool = False) -> BaseEstimator:
    """The estimator itself if the plan asks for nothing else, or a pipeline that ends with it.

    What takes `arrays` only is shown no names of columns.
    """
    steps: list[tuple[str, Any]] = []
    if not plan.numeric:
        steps.append(("columns", _columns(plan)))
    else:
        if plan.imputed:
            steps.append(("impute", median(plan)))
        steps += zip(("scale", "quartiles", "bend"), scaling_steps(plan.scale), strict=False)
        if arrays and not steps:
            steps.append(("array", libraries.of_arrays()))
    return Pipeline([*steps, ("estimator", estimator)]) if steps else estimator


def last_step(model: BaseEstimator) -> BaseEstimator:
    """The estimator of a model, without the steps before it."""
    return model[-1] if isinstance(model, Pipeline) else model


def _columns(plan: Plan) -> ColumnTransformer:
    """Numbers first, then categories, cycles and texts: the order of the features of the compiled form."""
    branches = [
        ("numbers", number_steps(plan, None), _unchosen(plan, "number")),
        ("booleans", boolean_steps(plan, None), _unchosen(plan, "boolean")),
        *_chosen(plan, "number", number_steps),
        *_chosen(plan, "boolean", boolean_steps),
        *_categories(plan),
        *_chosen(plan, "category", category_steps),
        *_cycles(plan),
        *[(f"text {number}", text_steps(plan, plan.choices.get(name)), [name]) for number, name in _texts(plan)],
    ]
    # Dense, because estimators that take sparse input treat missing values and scale differently there.
    return ColumnTransformer([branch for branch in branches if branch[2]], sparse_threshold=0)


def _unchosen(plan: Plan, role: Role) -> list[str]:
    return [name for name in plan.names(role) if name not in plan.choices]


def _chosen(plan: Plan, role: Role, steps: Any) -> list[Branch]:
    """A branch for each column of which the request says something."""
    names = [name for name in plan.names(role) if name in plan.choices]
    kinds = {treatment.column: treatment.kind for treatment in plan.treatments}
    return [
        (
            f"{role} {number}",
            steps(plan, plan.choices[name], encode=plan.encodings[name], words=known_words(kinds[name])),
            [name],
        )
        if role == "category"
        else (f"{role} {number}", steps(plan, plan.choices[name]), [name])
        for number, name in enumerate(names)
    ]


def _categories(plan: Plan) -> list[Branch]:
    """Those of which the request says nothing: a column for each category, but the mean of the target for very many."""
    names = _unchosen(plan, "category")
    many = [name for name in names if plan.encodings[name] == "target"]
    few = [name for name in names if name not in many]
    return [
        ("categories", category_steps(plan, None), few),
        ("categories by means", category_steps(plan, None, encode="target"), many),
    ]


def _cycles(plan: Plan) -> list[Branch]:
    """A branch for each column of dates that is told in cycles; gaps are filled as those of its days."""
    return [
        (f"cycles {number}", _filled(plan, name, cycle_steps(cycles)), [name])
        for number, (name, cycles) in enumerate(plan.cycles.items())
    ]


def _filled(plan: Plan, name: str, steps: Any) -> Any:
    choice = plan.choices.get(name)
    keeps = plan.keeps_gaps if choice is None or choice.impute is None else choice.impute == "none"
    return steps if keeps else make_pipeline(median(plan, indicates=False), steps)


def _texts(plan: Plan) -> list[tuple[int, str]]:
    return list(enumerate(plan.names("text")))
