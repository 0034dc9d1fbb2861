"""Checks parameters against the estimator table before a job is accepted, and prepares them for the estimator."""

import json
from collections.abc import Iterator
from typing import Any

from shared.errors import InvalidParameter, PlatformError, UnknownParameter, closest, meant
from shared.estimators.catalogue import Estimator, Parameter
from shared.estimators.json_schema import LARGEST_INTEGER, described, is_number, meets
from shared.estimators.model_form import flaw_of_form
from shared.estimators.restrictions import REFUSED

_SHOWN = 60
# Where something stands in a request.
Place = tuple[str | int, ...]
MODEL: Place = ("body", "model")


def problems_of_parameters(
    estimator: Estimator, params: dict[str, Any], place: Place = MODEL
) -> Iterator[PlatformError]:
    """One error per parameter that cannot be set like this, addressed by its place in the request.

    Of a model that a parameter takes, only the form is looked at.
    """
    for name, value in params.items():
        error = _error(estimator, name, value)
        if error is not None:
            error.errors = [{"loc": [*place, "params", name], "msg": error.detail}]
            yield error


def as_python(estimator: Estimator, params: dict[str, Any]) -> dict[str, Any]:
    """Checked parameters as Python has them: JSON has one kind of number where Python has 100 and 100.0."""
    return {name: _as_python(value, estimator.parameters[name].allowed) for name, value in params.items()}


def settings_of(estimator: Estimator, params: dict[str, Any]) -> dict[str, Any]:
    """Checked parameters as the estimator's class takes them: those that differ from its defaults."""
    found = {}
    for name, value in as_python(estimator, params).items():
        default = estimator.parameters[name].default
        if not (_is_same(value, default) or _is_same(params[name], default)):
            found[name] = tuple(value) if isinstance(value, list) and isinstance(default, list) else value
    return found


def _error(estimator: Estimator, name: str, value: Any) -> PlatformError | None:
    parameter = estimator.parameters.get(name)
    if parameter is None and name in estimator.aliases:
        said = f"'{name}' is another name of '{estimator.aliases[name]}' of {estimator.key}. Use that one."
        return UnknownParameter(said, did_you_mean=estimator.aliases[name])
    reason = estimator.refused.get(name, REFUSED.get(name))
    if parameter is None and reason is not None:
        return InvalidParameter(f"'{name}' cannot be set: {reason}. Leave it out.")
    if parameter is None:
        return _unknown(estimator, name)
    if any(meets(value, schema) for schema in parameter.allowed):
        return None
    return _invalid(estimator, name, value, parameter)


def _as_python(value: Any, allowed: list[dict[str, Any]], *, listed: bool = False) -> Any:
    if isinstance(value, list):
        items = [schema["items"] for schema in allowed if "items" in schema]
        return [_as_python(item, items, listed=True) for item in value]
    if not is_number(value):
        return value
    kinds = {kind for schema in allowed if meets(value, schema) for kind in _kinds_of(schema)}
    if kinds == {"integer"}:
        return int(value)
    # If both kinds are allowed, the number stays as written; in a list it may be a label or the index of a column.
    return float(value) if kinds == {"number"} and not listed else value


def _kinds_of(schema: dict[str, Any]) -> list[str]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return [kind for kind in kinds if kind in {"integer", "number"}]


def _is_same(value: Any, default: Any) -> bool:
    """Equal in type too: to the estimator, 1 and 1.0 or 1 and true may be different things."""
    return type(value) is type(default) and bool(value == default)


def _unknown(estimator: Estimator, name: str) -> UnknownParameter:
    shown = f"{estimator.key} has no parameter '{name[:_SHOWN]}'."
    if "__" in name:
        return UnknownParameter(f"{shown} Parameters of inner estimators stand in the 'params' of each.")
    near = closest(name, estimator.parameters)
    hint = meant(near) or f" It has: {', '.join(estimator.parameters) or 'none'}."
    return UnknownParameter(shown + hint, did_you_mean=near, available=estimator.parameters)


def _invalid(estimator: Estimator, name: str, value: Any, parameter: Parameter) -> InvalidParameter:
    allowed = " or ".join(filter(None, map(described, parameter.allowed)))
    default = "" if parameter.required else f" The default is {_shown(parameter.default)}."
    options = list(_options(parameter))
    near = closest(value, options) if isinstance(value, str) else None
    hint = meant(near)
    if parameter.model is not None:
        hint = hint or flaw_of_form(value, parameter.model)
    elif isinstance(value, dict) and not {"class", "module"}.isdisjoint(value):
        hint = " It takes no model."
    if is_number(value) and abs(value) > LARGEST_INTEGER:
        hint = f" The largest whole number is {LARGEST_INTEGER}."
    sentence = f"'{name}' of {estimator.key} must be {allowed}, not {_shown(value)}.{hint}{default}"
    return InvalidParameter(sentence, did_you_mean=near, available=options)


def _options(parameter: Parameter) -> Iterator[str]:
    for schema in parameter.allowed:
        yield from schema.get("enum", [])


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
