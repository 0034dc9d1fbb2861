"""The form of errors at the addresses of other protocols, whose clients do not read problems (RFC 9457)."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import MEDIA_TYPE
from api.schemas.base import ResponseBody

_PROBLEM = MEDIA_TYPE.encode()


class ErrorForm(NamedTuple):
    """How a protocol has its errors: below which address, with which statuses, and in which body."""

    prefix: str
    schema: type[ResponseBody]
    status_of: Callable[[dict[str, Any]], int]
    body_of: Callable[[dict[str, Any]], dict[str, str]]

    def covers(self, path: str) -> bool:
        """Whether an address is of this protocol."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")


def explained(problem: dict[str, Any]) -> str:
    """All that a problem says as one text: a line for each thing that is wrong, where there are several."""
    errors = problem.get("errors", [])
    if len(errors) < 2:
        detail, setting = str(problem["detail"]), problem.get("setting")
        return detail if setting is None or setting in detail else f"{detail} The limit is that of {setting}."
    count = problem.get("problem_count", len(errors))
    first = f" The first {len(errors)}:" if count > len(errors) else ""
    with_places = problem["code"] == "invalid_request"
    lines = [f"- {_place(each['loc']) if with_places else ''}{each['msg']}" for each in errors]
    return "\n".join([f"{count} things are wrong.{first}", *lines])


def _place(loc: list[str | int]) -> str:
    return ".".join(map(str, loc[1:] if loc[0] == "body" else loc)) + ": "


class ErrorForms:
    """Answers in the form of the protocol, wherever in the application an error came from."""

    def __init__(self, app: ASGIApp, *, forms: tuple[ErrorForm, ...]) -> None:
        self._app = app
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request; `error_form` in the scope tells everybody else that there is a form."""
        form = next((form for form in self._forms if scope["type"] == "http" and form.covers(scope["path"])), None)
        if form is None:
            await self._app(scope, receive, send)
        else:
            scope["error_form"] = form
            await self._app(scope, receive, in_form(form, send, scope["method"]))


def without_body(message: Message) -> Message:
    """A part of a body with nothing in it."""
    return {**message, "body": b""}


def in_form(form: ErrorForm, send: Send, method: str) -> Send:
    """Sends problems as the errors of a protocol, and everything else as it is; no bodies, if the method is HEAD."""
    start: Message | None = None
    content = b""

    async def send_allowed(message: Message) -> None:
        bare = method == "HEAD" and message["type"] == "http.response.body"
        await send(without_body(message) if bare else message)

    async def send_in_form(message: Message) -> None:
        nonlocal start, content
        if message["type"] == "http.response.start" and (b"content-type", _PROBLEM) in message["headers"]:
            start = message
            return
        if start is None:
            await send_allowed(message)
            return
        content += message.get("body", b"")
        if not message.get("more_body", False):
            for each in _translated(form, start, content):
                await send_allowed(each)

    return send_in_form


def _translated(form: ErrorForm, start: Message, content: bytes) -> tuple[Message, Message]:
    problem = json.loads(content)
    body = json.dumps(form.body_of(problem), ensure_ascii=False).encode()
    headers = [(name, value) for name, value in start["headers"] if name not in {b"content-type", b"content-length"}]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    begun = {**start, "status": form.status_of(problem), "headers": headers}
    return begun, {"type": "http.response.body", "body": body}
