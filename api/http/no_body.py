"""Refuses a body with content where an address takes none: the client may think that it matters."""

import json

from fastapi import Request

from api.http.validation import counted
from shared.errors import MOST_PROBLEMS, InvalidRequest

_WITHOUT_EFFECT = frozenset({"GET", "HEAD"})
# A longer body has content, whatever it is.
_MOST_READ = 2**14
_SENTENCE = "This call takes no body. Send none, or {}."


async def check_no_body(request: Request) -> None:
    """Refuse a body with content where the route takes none; a dependency of every route. Nothing and `{}` are fine.

    A route that asks for the request reads the body itself, and is left alone.

    Raises:
        InvalidRequest: naming each field of it, if it is an object.
    """
    route = request.scope["route"]
    if request.method in _WITHOUT_EFFECT or route.body_field or route.dependant.request_param_name:
        return
    body = (await request.body()).strip()
    if not body:
        return
    value = _read(body)
    if value in (None, {}):
        return
    names = list(value) if isinstance(value, dict) else []
    errors = [{"loc": ["body", name], "msg": _no_field(name)} for name in names]
    more, count = counted(len(names)) if names else ("", None)
    raise InvalidRequest(
        f"{errors[0]['msg']}{more}" if errors else _SENTENCE,
        errors=errors[:MOST_PROBLEMS] or [{"loc": ["body"], "msg": _SENTENCE}],
        problem_count=count,
    )


def _read(body: bytes) -> object:
    try:
        return json.loads(body) if len(body) <= _MOST_READ else body
    except (ValueError, RecursionError):
        return body


def _no_field(name: str) -> str:
    return f"There is no field '{name}': {_SENTENCE[0].lower()}{_SENTENCE[1:]}"
