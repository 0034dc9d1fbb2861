"""What happens to every request, whatever it asks for: an id, headers, a line in the log, a count."""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import Metrics
from api.http.problems import unexpected
from api.http.request_ids import request_id_of
from api.protocols.error_forms import in_form, without_body
from shared.logging import get_logger

log = get_logger(__name__)

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
)
_SHOWN_CHARACTERS = 200
LEFT = "the handler is closed"
_QUIET_PATHS = {"/healthz", "/readyz", "/metrics", "/ping"}


class RequestContext:
    """Gives each request an id, binds it to the log, and answers unforeseen errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope).get("x-request-id"))
        scope["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                add_headers(MutableHeaders(scope=message), request_id)
            try:
                await send(message)
            except RuntimeError as error:
                # The client has left: uvloop knows before the server does.
                if LEFT not in str(error):
                    raise

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception as error:
                log.exception("request_failed", method=scope["method"], path=scope["path"][:_SHOWN_CHARACTERS])
                if started:
                    # Part of the answer is sent: only a broken connection tells the client that the rest is missing.
                    raise
                form = scope.get("error_form")
                answer = send_with_headers if form is None else in_form(form, send_with_headers, scope["method"])
                await unexpected(error, request_id)(scope, receive, answer)


class AccessRecord:
    """Writes a line in the log for each request, and counts it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # This stays if the request ends with an unforeseen error.
        status = 500
        began = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._record(scope, status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, path = scope["method"], scope["path"]
        route = getattr(scope.get("route"), "path_format", "unknown")
        self._metrics.count_request(method=method, route=route, status=status, seconds=seconds)
        if path in _QUIET_PATHS:
            return
        shown = path[:_SHOWN_CHARACTERS]
        log.info(
            "request", client=client_of(scope), method=method, path=shown, status=status, seconds=round(seconds, 6)
        )


def client_of(scope: Scope) -> str | None:
    """The address of the client; behind a trusted proxy, the one that the proxy names."""
    client = scope.get("client")
    return client[0][:_SHOWN_CHARACTERS] if client else None


class HeadRequests:
    """Answers HEAD as GET would be answered, without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request; `head_only` in the scope tells a route that no body is needed."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        # A copy, because the server looks at the method to know whether the answer has a body.
        as_get = {**scope, "method": "GET", "head_only": True}

        async def send_without_body(message: Message) -> None:
            # Errors with a form of their own keep their body for now: `in_form` needs it, and removes it then.
            whole = message["type"] != "http.response.body" or "error_form" in scope
            await send(message if whole else without_body(message))

        try:
            await self._app(as_get, receive, send_without_body)
        finally:
            scope["route"] = as_get.get("route")


def add_headers(headers: MutableHeaders, request_id: str) -> None:
    """Set the headers that every answer has."""
    headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS:
        # Pages bring a policy of their own; nothing else is meant to be shown in a browser.
        headers.setdefault(name.decode(), value.decode())
