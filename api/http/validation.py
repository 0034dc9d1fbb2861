"""Turns pydantic's problems into an error that says where each is, and how to fix it."""

import json
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from api.http.field_places import Wrong, placed
from shared.errors import MOST_PROBLEMS, InvalidRequest, closest, meant
from shared.wording import reworded

# Far more than any object that clients need to send.
MOST_FIELDS = 100

_MAX_SHOWN = 60


def check_field_counts(value: Any, body: Any, *, place: tuple[str, ...] = ()) -> None:
    """Refuse objects with far too many fields, before anything looks at each of these.

    `body` is the type that `value` should have.

    Raises:
        InvalidRequest: when there are more than `MOST_FIELDS` in one object.
    """
    if not isinstance(value, dict) or not (models := _models_in(body)):
        return
    if len(value) > MOST_FIELDS:
        loc = ["body", *place]
        sentence = (
            f"{_place(loc)} has {len(value):,} fields, far more than there are. Leave out those it does not take."
        )
        raise InvalidRequest(sentence, errors=[{"loc": loc, "msg": sentence}])
    for model in models:
        for name, field in model.model_fields.items():
            known = field.alias or name
            check_field_counts(value.get(known), field.annotation, place=(*place, known))


def invalid_request(problems: Sequence[Any], *, body: Any) -> InvalidRequest:
    """The error for all problems of a request; `body` is the type that its body should have."""
    found = placed(problems, body)
    told = [(wrong, _instead(wrong)) for wrong in found[:MOST_PROBLEMS]]
    errors: list[dict[str, Any]] = [
        {"loc": list(wrong.place), "msg": _sentence(wrong.problem, *instead)} for wrong, instead in told
    ]
    first = errors[0]
    sentence = first["msg"]
    detail = f"{_place(first['loc'])}: {sentence[0].lower()}{sentence[1:]}"
    more, count = counted(len(found))
    near, available = told[0][1]
    return InvalidRequest(detail + more, errors=errors, problem_count=count, did_you_mean=near, available=available)


def counted(problems: int) -> tuple[str, int | None]:
    """The number of problems, as words to add to a sentence and as a number; nothing for a single problem."""
    if problems == 1:
        return "", None
    listed = "them" if problems <= MOST_PROBLEMS else f"the first {MOST_PROBLEMS}"
    return f" ({problems} problems in all; `errors` lists {listed}.)", problems


def _place(loc: list[Any]) -> str:
    source, *path = loc
    if not path:
        return f"The {source}"
    name = ".".join(str(part) for part in path)
    return f"Field '{name}'" if source == "body" else f"{str(source).capitalize()} parameter '{name}'"


def _sentence(problem: Any, near: str | None, known: list[str]) -> str:
    kind = problem["type"]
    if kind == "missing":
        return "It is required."
    if kind == "extra_forbidden":
        return _unknown_field(near, known)
    if kind == "too_short":
        least = problem["ctx"]["min_length"]
        return f"It must have {least:,} {'item' if least == 1 else 'items'} or more."
    if kind == "too_long":
        return f"It must have at most {problem['ctx']['max_length']:,} items."
    message = reworded(kind, str(problem["msg"]))
    return f"{message[0].upper()}{message[1:]}{_not_given(problem.get('input'))}."


def _not_given(value: Any) -> str:
    """What was given instead, as JSON; nothing for lists and objects, which may be long."""
    if value is not None and not isinstance(value, bool | int | float | str):
        return ""
    shown = f"'{value}'" if isinstance(value, str) else json.dumps(value)
    return f", not {shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + '…'}"


def _instead(wrong: Wrong) -> tuple[str | None, list[str]]:
    """For an unknown field: the field that may have been meant, and all fields that are allowed there."""
    if wrong.problem["type"] != "extra_forbidden":
        return None, []
    models = [model for around in wrong.around for model in _models_in(around)]
    known = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
    return closest(str(wrong.place[-1]), known), known


def _unknown_field(near: str | None, known: list[str]) -> str:
    if not known:
        return "There is no such field."
    return f"There is no such field.{meant(near) or ' The fields are ' + ', '.join(known) + '.'}"


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, also within lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
