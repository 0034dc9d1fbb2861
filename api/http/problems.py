"""From an error to a problem+json body (RFC 9457)."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.http.errors import MethodNotAllowed, NotFound
from api.http.limit_headers import waiting_headers
from api.http.statuses import TITLES, status_of
from api.http.validation import invalid_request
from api.pages.errors import page_of_problem
from api.pages.frame import prefers_page
from api.schemas.base import ResponseBody
from api.schemas.problems import ErrorCode, OpenApiResponses, Problem, readable
from shared.errors import (
    MOST_PROBLEMS,
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    PlatformError,
    ScratchFull,
    UnsupportedMediaType,
    leaves,
    meant,
)
from shared.home import NO_ROOM

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


def explain(error: type[PlatformError]) -> ErrorCode:
    """The explanation of an error code, for `/errors/{code}`."""
    return ErrorCode(
        code=error.code,
        title=error.title,
        status=status_of(error),
        explanation=" ".join((error.__doc__ or "").split()),
        hint=error.hint,
    )


def known_codes() -> dict[str, type[PlatformError]]:
    """Every error code that a client can meet, in alphabetical order."""
    return {error.code: error for error in sorted(leaves(), key=lambda error: error.code)}


def responses(*statuses: int, model: type[ResponseBody] = Problem) -> OpenApiResponses:
    """The errors of a route, for its documentation; `model` is their form if it is another than problem+json."""
    return {status: {"model": model, "description": TITLES[status]} for status in statuses}


def problem(
    error: PlatformError,
    request_id: str,
    *,
    headers: dict[str, str] | None = None,
    as_page: bool = False,
    **more: Any,
) -> Response:
    """The response for an error, as a page if `as_page`; `more` are further members of the body."""
    status = status_of(type(error))
    body = Problem(
        type=f"/errors/{error.code}",
        title=error.title,
        status=status,
        code=error.code,
        detail=readable(error.detail),
        request_id=request_id,
        **_readable_members(error),
    ).model_dump(exclude={"errors"}, exclude_unset=True)
    if error.errors:
        body["errors"] = [
            {"loc": [readable(part) for part in entry["loc"]], "msg": readable(entry["msg"])}
            for entry in error.errors[:MOST_PROBLEMS]
        ]
    headers = dict(headers or {})
    if status == 503:
        body["retry_after"] = RETRY_AFTER_SECONDS
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    headers |= waiting_headers(error)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 408:
        # The rest of the request may still arrive, and would be taken for the next one.
        headers["Connection"] = "close"
    if as_page:
        return page_of_problem(body, error.hint, headers)
    return JSONResponse({**body, **more}, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of the application's routes with a problem."""
    app.add_exception_handler(PlatformError, _platform_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(ClientDisconnect, _client_disconnect)


def unexpected(error: Exception, request_id: str) -> Response:
    """The response for an unforeseen error, which says only where to look.

    A full disk is an exception: it has an error of its own, wherever the file was written.
    """
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return problem(ScratchFull(), request_id)
    detail = f"Something unexpected happened. The log of the API has it under the request id {request_id}."
    return problem(InternalError(detail), request_id)


async def _platform_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)  # noqa: S101 - the type for which the handler is registered
    return answer_of(request, error)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the type for which the handler is registered
    entries = error.errors()
    if all(entry["loc"][0] == "path" for entry in entries):
        return answer_of(request, _not_found(request))
    field = getattr(request.scope.get("route"), "body_field", None)
    body = field.field_info.annotation if field is not None else None
    return answer_of(request, invalid_request(entries, body=body))


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the type for which the handler is registered
    headers = dict(error.headers or {})
    found: PlatformError
    if error.status_code == 404:
        found = _not_found(request)
    elif error.status_code == 405:
        allowed = _allowed_methods(request)
        headers["Allow"] = allowed
        found = MethodNotAllowed(f"{request.method} is not possible here. This address takes {allowed}.")
    elif error.status_code == 413:
        found = BodyTooLarge()
    elif error.status_code == 415:
        found = UnsupportedMediaType()
    elif error.status_code < 500:
        found = InvalidRequest(str(error.detail))
    else:
        found = InternalError()
    return answer_of(request, found, headers)


async def _client_disconnect(_request: Request, _error: Exception) -> Response:
    # Nobody reads this answer. In access logs, 499 means that the client has left (from nginx).
    return Response(status_code=499)


def answer_of(request: Request, error: PlatformError, headers: dict[str, str] | None = None) -> Response:
    """The response for an error; a page if a browser looks at an address that belongs to no other protocol."""
    looks = request.method == "GET" and "error_form" not in request.scope
    headers = {**(headers or {}), **({"Vary": "Accept"} if looks else {})}
    return problem(error, request.scope["request_id"], headers=headers, as_page=looks and prefers_page(request))


def _not_found(request: Request) -> NotFound:
    path = request.url.path
    without_slash = path.rstrip("/")
    near = without_slash if path != without_slash and _routes_at(request, without_slash) else None
    listed = getattr(request.app.state, "listed", "/docs lists all addresses.")
    return NotFound(f"There is nothing at '{path}'.{meant(near)} {listed}", did_you_mean=near)


def _allowed_methods(request: Request) -> str:
    methods = {method for route in _routes_at(request, request.url.path) for method in route.methods or ()}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _routes_at(request: Request, path: str) -> list[RouteContext]:
    return [route for route in iter_route_contexts(request.app.routes) if route.path_regex.match(path)]


def _readable_members(error: PlatformError) -> dict[str, Any]:
    members = error.members.items()
    return {name: [*map(readable, each)] if isinstance(each, list) else readable(each) for name, each in members}
