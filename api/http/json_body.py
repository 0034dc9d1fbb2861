"""Bodies in JSON, read strictly, so that every program reads the same from the same text."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import partial
from typing import Any, NoReturn

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.http.media_types import media_type
from api.http.validation import check_field_counts
from shared.errors import BodyTooLarge, InvalidJson, UnsupportedMediaType

MAX_DEPTH = 64
# An integer with more digits does not fit into a float, and Python refuses those with more than 4300.
MAX_DIGITS = 308

_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"

_JSON = (b"content-type", b"application/json")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Reading more takes over a millisecond, so a thread does it and the event loop goes on.
_LARGE = 2**14
_SHOWN = 40
# Possessive, and with an optional closing quote: a text that is not JSON must not take quadratic time.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_TOKEN = re.compile(rf"{_STRING}|[-+.\w]++", re.DOTALL)
_NO_BRACKET = re.compile(rf'{_STRING}|[^\[\]{{}}"]++', re.DOTALL)
_MAYBE_BAD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly; every router that takes JSON has it as its `route_class`.

    A route whose body is more than JSON overrides `json_of`. One whose clients write NaN for missing values sets
    `nan_is_null`.
    """

    nan_is_null = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read and check the body before FastAPI does anything with the request."""
        handle = super().get_route_handler()
        field = self.body_field
        if field is None:
            return handle
        if isinstance(field.field_info, params.Form):
            return partial(_handle_form, handle)
        required = field.field_info.is_required()

        async def handle_strictly(request: Request) -> Response:
            if required:
                self.check_media_type(request)
            body = await request.body()
            if not body and not required:
                return await handle(request)
            self.check_media_type(request)
            body = self.json_of(request, body)
            most = request.app.state.most_lists
            parse = partial(parse_json, body, most_lists=most, nan_is_null=self.nan_is_null)
            value = await run_in_threadpool(parse) if len(body) > _LARGE else parse()
            check_field_counts(value, field.field_info.annotation)
            return await handle(_ParsedRequest(request, value))

        return handle_strictly

    def check_media_type(self, request: Request) -> None:
        """Refuse a body that is not declared to be JSON.

        Raises:
            UnsupportedMediaType: when it is declared to be something else, or not declared.
        """
        _check_media_type(request.headers.get("content-type", ""))

    def json_of(self, _request: Request, body: bytes) -> bytes:
        """The part of a body that is JSON: all of it."""
        return body


class _ParsedRequest(Request):
    """A request whose JSON has been read already."""

    def __init__(self, request: Request, value: Any) -> None:
        # By now it is certain that the body is JSON, so the request says so.
        others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
        super().__init__({**request.scope, "headers": [*others, _JSON]}, request.receive)
        self._body = request._body  # noqa: SLF001 - where Starlette keeps a body that was read
        self._value = value

    async def json(self) -> Any:
        return self._value


def parse_json(body: bytes, *, most_lists: int, nan_is_null: bool = False) -> Any:
    """The value of a JSON text with at most `most_lists` lists and objects; with `nan_is_null`, NaN means null.

    Raises:
        BodyTooLarge: when it has more. Each takes far more time and memory than the two bytes of an empty one.
        InvalidJson: with the place, for all that RFC 8259 forbids or leaves open: NaN, Infinity, too large numbers,
            repeated names, deep nesting, lone surrogates, NUL characters, other encodings than UTF-8.
    """
    if not body.strip():
        raise InvalidJson("The body is empty. Send a JSON object.", errors=[_not_json("the body is empty")])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"byte {error.start + 1} is not UTF-8")
    _check_brackets(text, most_lists)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant_but_nan if nan_is_null else _constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        _refuse(f"{error.msg} at {_place(text, error.pos)}")
    except RecursionError:
        _refuse(_TOO_DEEP)
    except _BadToken as error:
        _refuse(f"{error.reason} at {_place(text, _find(text, error.token))}")
    _check_escapes(text)
    return value


class _BadToken(Exception):
    def __init__(self, token: str, reason: str) -> None:
        super().__init__(reason)
        self.token = token
        self.reason = reason


async def _handle_form(handle: Callable[[Request], Coroutine[Any, Any, Response]], request: Request) -> Response:
    """Refuse what is said to be something else, of which FastAPI would only say that all fields are missing."""
    if media_type(request.headers) not in {"", *_FORMS}:
        raise UnsupportedMediaType(f"Send the fields as a form, with the header 'Content-Type: {_FORMS[0]}'.")
    return await handle(request)


def _check_media_type(header: str) -> None:
    message = Message()
    message["content-type"] = header
    subtype = message.get_content_subtype()
    is_json = message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))
    if not is_json or (message.get_content_charset() or "utf-8") != "utf-8":
        raise UnsupportedMediaType("Send the body as JSON in UTF-8, with the header 'Content-Type: application/json'.")


def _check_brackets(text: str, most_lists: int) -> None:
    if text.count("[") + text.count("{") <= min(MAX_DEPTH, most_lists):
        return
    brackets = _NO_BRACKET.sub("", text)
    lists = brackets.count("[") + brackets.count("{")
    if lists > most_lists:
        raise BodyTooLarge(
            f"The body has {lists:,} lists and objects; one request may have {most_lists:,}. Send the rows in several "
            "requests.",
            limit=most_lists,
            setting="MLMINI_PREDICT_MAX_CELLS",
        )
    for _ in range(MAX_DEPTH):
        # Each round removes the innermost level everywhere.
        fewer = brackets.replace("[]", "").replace("{}", "")
        if fewer == brackets:
            return
        brackets = fewer
    if brackets:
        _refuse(_TOO_DEEP)


def _check_escapes(text: str) -> None:
    """Refuse escapes for half a character, or for NUL, which databases cannot store."""
    if not _MAYBE_BAD_ESCAPE.search(text):
        return
    for match in _TOKEN.finditer(text):
        if match[0].startswith('"') and _MAYBE_BAD_ESCAPE.search(match[0]):
            value = json.loads(match[0])
            if "\0" in value:
                _refuse(f"a text with a NUL character at {_place(text, match.start())}")
            if any("\ud800" <= character <= "\udfff" for character in value):
                _refuse(f"a text with half a surrogate pair at {_place(text, match.start())}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        _refuse(f"the name {json.dumps(name[:_SHOWN])} is given twice in one object")
    return value


def _constant(token: str) -> NoReturn:
    raise _BadToken(token, f"{token} is not a JSON number (use null for a missing value)")


def _constant_but_nan(word: str) -> None:
    if word != "NaN":
        _constant(word)


def _float(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        raise _BadToken(token, f"the number {token[:_SHOWN]} is too large")
    return value


def _integer(token: str) -> int:
    if len(token) > MAX_DIGITS:
        raise _BadToken(token, f"an integer of {len(token)} digits is too large")
    return int(token)


def _find(text: str, token: str) -> int:
    return next((match.start() for match in _TOKEN.finditer(text) if match[0] == token), 0)


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _refuse(reason: str) -> NoReturn:
    raise InvalidJson(f"The body is not valid JSON: {reason}.", errors=[_not_json(reason)]) from None


def _not_json(reason: str) -> dict[str, Any]:
    return {"loc": ["body"], "msg": reason}
