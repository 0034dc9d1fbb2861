"""Describes a class of an own package by importing it: in a computing process, and nowhere else."""

import inspect
import math
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from shared.estimators.catalogue import Estimator, Parameter
from shared.estimators.constraints import parameters_of
from shared.estimators.json_schema import LARGEST_INTEGER
from shared.estimators.own.declared import OwnClass
from shared.estimators.restrictions import CAPS, REFUSED
from shared.estimators.signature import Task

_LONGEST = 256
_WHOLE = {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "maxLength": _LONGEST}
_FLAG = {"type": "boolean"}


class NotAnEstimator(Exception):
    """What the class lacks, as a sentence."""


def describe(found: OwnClass) -> Estimator:
    """All that the platform needs to know of the class.

    Raises:
        NotAnEstimator: when it is no classifier and no regressor as scikit-learn has them.
        Exception: whatever its import or its construction raises.
    """
    module, _, name = found.path.partition(":")
    kind = getattr(import_module(module), name)
    if not (isinstance(kind, type) and all(hasattr(kind, each) for each in ("fit", "predict", "get_params"))):
        raise NotAnEstimator("It is no class with 'fit', 'predict' and 'get_params', as scikit-learn has them.")
    model = kind()
    if not (is_classifier(model) or is_regressor(model)):
        raise NotAnEstimator("It is neither a classifier nor a regressor: derive it from ClassifierMixin or another.")
    tags = get_tags(model)
    task: Task = "classification" if is_classifier(model) else "regression"
    return Estimator(
        module=module,
        name=name,
        task=task,
        summary=(inspect.getdoc(kind) or name).partition("\n")[0].strip()[:_LONGEST],
        takes_missing=bool(tags.input_tags.allow_nan),
        refuses_missing_with={},
        needs_scaling=False,
        needs_categories=False,
        inputs_not_negative=bool(tags.input_tags.positive_only),
        marks_unlabelled=False,
        takes_seed="random_state" in inspect.signature(kind).parameters,
        takes_weights=has_fit_parameter(model, "sample_weight"),
        gives_probabilities=hasattr(model, "predict_proba"),
        probabilities_turn_with={},
        gives_scores=hasattr(model, "decision_function"),
        learns_in_batches=hasattr(model, "partial_fit"),
        library=found.distribution,
        own=True,
        parameters=_parameters(kind, task),
    )


def _parameters(kind: type[BaseEstimator], task: str) -> dict[str, Parameter]:
    """By the constraints that it publishes as scikit-learn's classes do; else by its defaults."""
    constraints = getattr(kind, "_parameter_constraints", None)
    if constraints is not None and set(inspect.signature(kind).parameters) <= constraints.keys():
        return {name: Parameter(**told) for name, told in parameters_of(kind, kind.__name__, task).items()}
    found = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        allowed = _like(name, parameter.default)
        if allowed and name not in REFUSED:
            found[name] = Parameter(default=parameter.default, allowed=allowed)
    return found


def _like(name: str, default: Any) -> list[dict[str, Any]]:
    """The schemas of values of the kind of a default; none for what JSON has not."""
    null = {"type": "null"}
    if name == "random_state":
        return [{"type": "integer", "minimum": 0, "maximum": 2**32 - 1}, null]
    if default is None:
        return [_NUMBER, _TEXT, _FLAG, null]
    if isinstance(default, float) and not math.isfinite(default):
        return []
    kinds: dict[type, dict[str, Any]] = {
        bool: _FLAG,
        int: _WHOLE | {"maximum": CAPS.get(name, LARGEST_INTEGER)},
        float: _NUMBER,
        str: _TEXT,
    }
    schema = kinds.get(type(default))
    return [] if schema is None else [schema]
