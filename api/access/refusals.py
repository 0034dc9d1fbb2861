"""Answers to requests that their senders may not make, which the audit record tells of."""

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.access.callers import caller_of
from api.http.problems import answer_of
from shared.accounts.refusals import CountedRefusals
from shared.audit.actions import Action
from shared.errors import PlatformError


async def refusal_of(scope: Scope, error: PlatformError) -> Response:
    """Record that a known sender was refused, and make the answer."""
    refusals: CountedRefusals = scope["app"].state.parts.access.refusals
    entry = caller_of(scope).entry(Action.ACCESS_REFUSED, f"{scope['method']} {scope['path']}", refused=True)
    await to_thread.run_sync(refusals.note, entry)
    return answer_of(Request(scope), error)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """The handler of errors that endpoints raise, as `refusal_of`."""
    assert isinstance(error, PlatformError)  # noqa: S101 - the type for which the handler is registered
    return await refusal_of(request.scope, error)
