"""What the audit record tells of requests that their senders may not make."""

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.access.callers import Caller, caller_of
from api.http.problems import answer_of
from shared.audit.actions import Action
from shared.audit.recording import record
from shared.database import Database
from shared.errors import DatabaseFailure, PlatformError
from shared.logging import get_logger

log = get_logger(__name__)


async def refusal_of(scope: Scope, error: PlatformError) -> Response:
    """The answer to a request of somebody who is known and may not, which the record tells of."""
    caller, database = caller_of(scope), scope["app"].state.parts.whole_database
    subject = f"{scope['method']} {scope['path']}"
    await to_thread.run_sync(partial(record_refusal, database, caller, subject))
    return answer_of(Request(scope), error)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """As `refusal_of`, for what an endpoint finds."""
    assert isinstance(error, PlatformError)  # noqa: S101 - the type for which the handler is registered
    return await refusal_of(request.scope, error)


def record_refusal(database: Database, caller: Caller, subject: str) -> None:
    """Have the audit record tell that a caller may not do what it asks for."""
    try:
        with database.write() as session:
            record(session, caller.entry(Action.ACCESS_REFUSED, subject, refused=True))
    except DatabaseFailure:
        # It is refused all the same.
        log.warning("refusal_not_recorded", subject=subject, actor=caller.identity.name)
