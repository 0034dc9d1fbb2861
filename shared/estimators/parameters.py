"""Checks parameters against the estimator table before a job is accepted, and prepares them for the estimator."""

import json
from collections.abc import Iterator
from typing import Any

from shared.errors import InvalidParameter, PlatformError, UnknownParameter, did_you_mean
from shared.estimators.caps import REFUSED
from shared.estimators.catalogue import Estimator, Parameter
from shared.estimators.json_schema import described, meets

_SHOWN = 60
_NESTING = (
    "nested estimators are not taken: their parameters would not be checked. Leave '{name}' out, or train the inner "
    "estimator by itself"
)


def problems_of_parameters(estimator: Estimator, params: dict[str, Any]) -> Iterator[PlatformError]:
    """One error per parameter that cannot be set like this, addressed by its place in the request."""
    for name, value in params.items():
        problem = _problem(estimator, name, value)
        if problem is not None:
            kind, detail = problem
            yield kind(detail, errors=[{"loc": ["body", "model", "params", name], "msg": detail}])


def settings_of(estimator: Estimator, params: dict[str, Any]) -> dict[str, Any]:
    """Checked parameters as the estimator's class takes them: those that differ from its defaults."""
    return {
        name: tuple(value) if isinstance(value, list) and isinstance(default, list) else value
        for name, value in params.items()
        if not _is(value, default := estimator.parameters[name].default)
    }


def _problem(estimator: Estimator, name: str, value: Any) -> tuple[type[PlatformError], str] | None:
    if name in REFUSED:
        return InvalidParameter, f"'{name}' cannot be set: {REFUSED[name]}. Leave it out."
    parameter = estimator.parameters.get(name)
    if parameter is None:
        return UnknownParameter, _unknown(estimator, name)
    if _is(value, parameter.default) or any(meets(value, schema) for schema in parameter.allowed):
        return None
    return InvalidParameter, _refusal(estimator, name, value, parameter)


def _is(value: Any, default: Any) -> bool:
    """Equal in type too: to the estimator, 1 and 1.0 or 1 and true may be different things."""
    return type(value) is type(default) and bool(value == default)


def _unknown(estimator: Estimator, name: str) -> str:
    shown = f"{estimator.key} has no parameter '{name[:_SHOWN]}'."
    if "__" in name:
        return f"{shown} Parameters of inner estimators cannot be set."
    near = did_you_mean(name, estimator.parameters)
    return shown + (near or f" It has: {', '.join(estimator.parameters) or 'none'}.")


def _refusal(estimator: Estimator, name: str, value: Any, parameter: Parameter) -> str:
    allowed = " or ".join(described(schema) for schema in parameter.allowed)
    sentence = f"'{name}' of {estimator.key} must be {allowed}, not {_shown(value)}."
    near = did_you_mean(value, _options(parameter)) if isinstance(value, str) else ""
    if isinstance(value, dict) and not {"class", "module"}.isdisjoint(value):
        sentence = f"'{name}' of {estimator.key} must be {allowed}: {_NESTING.format(name=name)}."
    return f"{sentence}{near} The default is {_shown(parameter.default)}."


def _options(parameter: Parameter) -> Iterator[str]:
    for schema in parameter.allowed:
        yield from schema.get("enum", [])


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
