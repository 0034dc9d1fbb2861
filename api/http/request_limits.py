"""Limits the size of bodies, and refuses some addresses and encodings, before a route sees the request."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.body_pace import ReceivedInTime
from api.http.media_types import media_type
from api.http.problems import problem
from shared.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType


class BodyLimit(NamedTuple):
    """The most bytes of a body, and the setting that they come from."""

    max_bytes: int
    setting: str


class RequestLimits:
    """Refuses bodies that are compressed or over a limit, and addresses that no database can look up."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        usual: BodyLimit,
        exceptions: Mapping[tuple[str, str], BodyLimit],
        body_seconds: float,
    ) -> None:
        """`exceptions` are limits by path and media type; an empty media type means any.

        `body_seconds` is for `ReceivedInTime`.
        """
        self._app = app
        self._usual = usual
        self._exceptions = exceptions
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wrong = _wrong_address(scope)
        if wrong is not None:
            await problem(wrong, scope["request_id"])(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            answer = problem(_encoded(), scope["request_id"], headers={"Accept-Encoding": "identity"})
            await answer(scope, receive, send)
            return
        path = _as_described(scope["path"])
        by_path = self._exceptions.get((path, ""), self._usual)
        limit = self._exceptions.get((path, media_type(headers)), by_path)
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:19]) > limit.max_bytes:
            await problem(too_large(limit), scope["request_id"])(scope, receive, send)
            return
        in_time = ReceivedInTime(receive, seconds=self._body_seconds)
        await self._app(scope, _counting(in_time, limit), send)


def _wrong_address(scope: Scope) -> InvalidRequest | None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return InvalidRequest("The address holds a NUL character. Leave it out.")
    # The patterns of routes end with `$`, which also matches before a final line break.
    if scope["path"].endswith("\n"):
        return InvalidRequest("The address ends with a line break. Leave it out.")
    return None


def _as_described(path: str) -> str:
    """The path as `exceptions` has it, with a template in place of the name of a model."""
    served = path.startswith("/serve/") and path.endswith("/invocations")
    return "/serve/{model}/invocations" if served else path


def _counting(receive: Receive, limit: BodyLimit) -> Receive:
    received = 0

    async def receive_and_count() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit.max_bytes:
                raise too_large(limit)
        return message

    return receive_and_count


def _encoded() -> UnsupportedMediaType:
    return UnsupportedMediaType(
        "The body has a Content-Encoding. Send it as it is, without that header; a dataset may be a compressed file "
        "(.gz) inside of the form."
    )


def too_large(limit: BodyLimit) -> BodyTooLarge:
    """The error of a body over its limit."""
    return BodyTooLarge(
        f"The body is larger than the {limit.max_bytes:,} bytes that this call takes. Send less at a time, or have "
        f"{limit.setting} raised.",
        limit=limit.max_bytes,
        setting=limit.setting,
    )
