"""scikit-learn's parameter constraints as JSON Schema, for the generator of the estimator table.

What JSON cannot hold (callables, infinity) and what a request may not have is left out. JSON does not
tell 1 from 1.0, so a share and a count of one parameter are kept apart by their ranges.
"""

import inspect
import math
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from shared.estimators.hosts import Slot, slots_of
from shared.estimators.json_schema import LARGEST_INTEGER, meets
from shared.estimators.model_form import schema_of_model, schema_of_models
from shared.estimators.restrictions import CAPS, ITEM_CAPS, MAX_ITEMS, REFUSED, WITHOUT
from shared.estimators.target_functions import NAMED

_LARGEST_SEED = 2**32 - 1
_LABEL_LENGTH = 256
# Parameters whose text is a label of the target or the name of a column, so that any text may be right.
_LABELS = frozenset({"categorical_features", "constant", "outlier_label"})
# Here a list would be a matrix that belongs to one input table, or one setting per target.
_NO_LISTS = frozenset({"class_weight", "precompute"})
_NESTED = frozenset({"interaction_cst"})
_SIZES = frozenset({"hidden_layer_sizes"})
_POINT = "Write it with a decimal point, 1.0 for all: 1 is a whole number."
_DEFAULT = "Stands for the default."

_NUMBERS: dict[str, Any] = {"type": ["number", "boolean"]}
# Numbers, or lists of them, by name. Some names would reach a function or the inside of an estimator.
_OBJECT: dict[str, Any] = {
    "type": "object",
    "maxProperties": MAX_ITEMS,
    "propertyNames": {"maxLength": _LABEL_LENGTH, "not": {"anyOf": [{"const": "func"}, {"pattern": "^__"}]}},
    "additionalProperties": {"anyOf": [_NUMBERS, {"type": "array", "maxItems": MAX_ITEMS, "items": _NUMBERS}]},
}


def parameters_of(estimator: type[BaseEstimator], key: str, task: str) -> dict[str, dict[str, Any]]:
    """The default of each parameter that a request may set and the JSON schemas of which it must meet one."""
    constraints = estimator._parameter_constraints  # noqa: SLF001 - scikit-learn publishes them nowhere else
    slots, functions = {slot.name: slot for slot in slots_of(key)}, NAMED.get(key, {})
    found = {}
    for name, parameter in inspect.signature(estimator).parameters.items():
        if name in REFUSED and name not in functions:
            continue
        allowed = _distinct([schema for each in constraints[name] for schema in _schemas(name, each)])
        if name in functions:
            allowed = [_enumeration(set(functions[name])), *allowed]
        if name in slots:
            allowed = [_model(slots[name], task), *([] if slots[name].required else allowed)]
        if parameter.default is parameter.empty:
            found[name] = {"default": None, "required": True, "allowed": allowed}
        else:
            found[name] = _with_default(to_json(parameter.default), _kept_apart(allowed))
    return dict(sorted(found.items()))


def _model(slot: Slot, task: str) -> dict[str, Any]:
    return schema_of_models(task) if slot.listed else schema_of_model(task)


def _with_default(default: Any, allowed: list[dict[str, Any]]) -> dict[str, Any]:
    if not any(meets(default, schema) for schema in allowed):
        allowed = [*allowed, {"const": default, "description": _DEFAULT}]
    return {"default": default, "allowed": allowed}


def _kept_apart(allowed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where a parameter takes a count or a share, 1 is a count; a share of all must be written 1.0.

    A share of 1.0 is not offered where it could not be told from a count of 1 that is refused.
    """
    count = next((schema for schema in allowed if schema["type"] == "integer"), None)
    if count is None:
        return allowed
    return [_apart(schema, count) if schema["type"] == "number" else schema for schema in allowed]


def _apart(share: dict[str, Any], count: dict[str, Any]) -> dict[str, Any]:
    if meets(1, share) and not meets(1, count):
        return {**{name: bound for name, bound in share.items() if name != "maximum"}, "exclusiveMaximum": 1}
    return {**share, "description": _POINT} if meets(1, share) else share


def to_json(value: Any) -> Any:
    """A default as JSON; what JSON has no number for becomes its name ("inf")."""
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _distinct(schemas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    distinct: list[dict[str, Any]] = []
    for schema in schemas:
        if schema not in distinct:
            distinct.append(schema)
    return sorted(distinct, key=lambda schema: (schema["type"] == "null", schema["type"] == "array"))


def _schemas(name: str, constraint: Any) -> Iterator[dict[str, Any]]:
    if constraint is None:
        yield {"type": "null"}
    elif isinstance(constraint, StrOptions):
        if options := constraint.options - WITHOUT.get(name, frozenset()):
            yield _enumeration(options)
    elif isinstance(constraint, Interval):
        yield _interval(name, constraint)
    elif isinstance(constraint, str):
        yield from _named(name, constraint)
    elif isinstance(constraint, type):
        yield from _instances(name, constraint)
    elif not isinstance(constraint, Hidden):
        # Objects with certain methods, and infinity as an option: JSON has neither.
        return


def _named(name: str, constraint: str) -> Iterator[dict[str, Any]]:
    if constraint == "boolean":
        yield {"type": "boolean"}
    elif constraint == "random_state":
        yield {"type": "integer", "minimum": 0, "maximum": _LARGEST_SEED}
        yield {"type": "null"}
    elif constraint == "cv_object":
        yield {"type": "integer", "minimum": 2, "maximum": CAPS["cv"]}
        yield {"type": "null"}
    elif constraint == "array-like" and name not in _NO_LISTS:
        yield _list(name)


def _instances(name: str, kind: type) -> Iterator[dict[str, Any]]:
    if kind is Integral:
        yield {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER}
    elif kind is Real:
        yield {"type": "number"}
    elif kind is dict:
        yield _OBJECT
    elif kind is list and name not in _NO_LISTS:
        yield _list(name)
    elif kind is str and name == "scoring":
        yield _enumeration({"loss", *get_scorer_names()})
    elif kind is str and name in _LABELS:
        yield {"type": "string", "maxLength": _LABEL_LENGTH}


def _enumeration(options: set[str]) -> dict[str, Any]:
    return {"type": "string", "enum": sorted(options)}


def _interval(name: str, interval: Interval) -> dict[str, Any]:
    whole = interval.type is Integral
    schema: dict[str, Any] = {"type": "integer" if whole else "number"}
    if interval.left is not None and math.isfinite(interval.left):
        closed = interval.closed in {"left", "both"}
        schema["minimum" if closed else "exclusiveMinimum"] = interval.left
    elif whole:
        schema["minimum"] = -LARGEST_INTEGER
    if interval.right is not None and math.isfinite(interval.right):
        closed = interval.closed in {"right", "both"}
        schema["maximum" if closed else "exclusiveMaximum"] = interval.right
    elif name in CAPS or whole:
        schema["maximum"] = CAPS.get(name, LARGEST_INTEGER)
    return schema


def _list(name: str) -> dict[str, Any]:
    items = _NUMBERS
    if name in _SIZES:
        items = {"type": ["integer"], "minimum": 1, "maximum": CAPS[name]}
    elif name in _LABELS:
        items = {"type": [*_NUMBERS["type"], "string"], "maxLength": _LABEL_LENGTH}
    elif name in _NESTED:
        places = {"type": ["integer"], "minimum": 0, "maximum": LARGEST_INTEGER}
        items = {"type": ["array"], "maxItems": MAX_ITEMS, "items": places}
    return {"type": "array", "maxItems": ITEM_CAPS.get(name, MAX_ITEMS), "items": items}
