"""From pydantic's faults to an error that says where each is and how to mend it."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from shared.errors import InvalidRequest, did_you_mean

_MAX_SHOWN = 60


def invalid_request(faults: Sequence[Any], *, body: Any) -> InvalidRequest:
    """The error for all faults of one request; `body` is the type that its body should have had."""
    errors: list[dict[str, Any]] = [{"loc": list(fault["loc"]), "msg": _sentence(fault, body)} for fault in faults]
    first = errors[0]
    detail = f"{_place(first['loc'])}: {first['msg']}"
    if len(errors) > 1:
        detail += f" ({len(errors)} faults in all; `errors` lists them.)"
    return InvalidRequest(detail, errors=errors)


def _place(loc: list[Any]) -> str:
    source, *path = loc
    if not path:
        return f"The {source}"
    name = ".".join(str(part) for part in path)
    return f"Field '{name}'" if source == "body" else f"{str(source).capitalize()} parameter '{name}'"


def _sentence(fault: Any, body: Any) -> str:
    kind, loc = fault["type"], fault["loc"]
    if kind == "missing":
        return "It is required."
    if kind == "extra_forbidden":
        return _unknown_field(str(loc[-1]), _fields_at(body, list(loc[1:-1])))
    message = str(fault["msg"]).removeprefix("Value error, ")
    given = fault.get("input")
    if given is None or isinstance(given, bool | int | float | str):
        shown = "null" if given is None else repr(given)
        message += f", not {shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + '…'}"
    return message + "."


def _unknown_field(name: str, known: set[str]) -> str:
    if not known:
        return "There is no such field."
    return f"There is no such field.{did_you_mean(name, known) or ' The fields are ' + ', '.join(sorted(known)) + '.'}"


def _fields_at(annotation: Any, path: list[Any]) -> set[str]:
    """The names of the fields that the body may have at a place."""
    models = _models_in(annotation)
    if not path:
        return {field.alias or name for model in models for name, field in model.model_fields.items()}
    part, *rest = path
    inner = [
        field.annotation
        for model in models
        for name, field in model.model_fields.items()
        if part in {name, field.alias}
    ]
    if not inner:
        # The part is the index of a list or the label of one side of a union.
        return _fields_at(annotation, rest)
    return {name for found in inner for name in _fields_at(found, rest)}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, in lists and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
