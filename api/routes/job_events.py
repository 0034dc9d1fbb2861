"""What happens to a job while it happens: its events as a stream, its log as text."""

from collections.abc import Iterator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.access.lookup import sight_now
from api.dependencies import PartsDep
from api.http.problems import responses
from api.live.follower import HEADER, EventCursor, Follower
from api.live.following import Following
from api.routes.jobs import JobId
from api.schemas.base import written
from api.schemas.job_events import EVENTS, LOG
from shared.accounts.permissions import Permission
from shared.accounts.sight import Sight, seeing
from shared.database import Database
from shared.jobs import logs
from shared.jobs.acceptance import find_job
from shared.jobs.logs import LogLine
from shared.jobs.marks import Mark, marks
from shared.registry.teams import Walls
from shared.registry.visibility import datasets_of

router = APIRouter(tags=["Jobs"])

_PAGE_LINES = 500
# Proxies pass events on as they come: nothing is kept, and nothing gathered (the second is nginx's word for it).
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

LastEventId = Annotated[
    str | None,
    Header(alias=HEADER, description="The `id` of the last event that came: the stream goes on after it."),
]


class _WhileAllowed:
    """What a follower tells, until whoever listens may not read any more."""

    def __init__(self, follower: Follower, scope: Scope, datasets: Sequence[str]) -> None:
        self._follower = follower
        self._scope = scope
        self._datasets = datasets

    def __aiter__(self) -> "_WhileAllowed":
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._follower)
        sight = await sight_now(self._scope, Permission.READ)
        if sight is None or self._hides_any(sight):
            raise StopAsyncIteration
        return chunk

    def _hides_any(self, sight: Sight) -> bool:
        walls: Walls = self._scope["app"].state.parts.walls
        with seeing(sight):
            return any(map(walls.hides, self._datasets))


class EventStream(StreamingResponse):
    """The events of one client, who is served for as long as this response is being sent.

    Not FastAPI's own response for events, which is for generators: what they hold is given back only when they are
    collected, and their answer can neither be a 204 nor stop at its headers.
    """

    media_type = "text/event-stream"

    def __init__(self, following: Following, follower: Follower, scope: Scope, datasets: Sequence[str]) -> None:
        super().__init__(_WhileAllowed(follower, scope, datasets), headers=_HEADERS)
        self._following = following
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._following.serve(self._follower):
            await super().__call__(scope, receive, send)


@router.get(
    "/jobs/{job_id}/events",
    status_code=200,
    summary="Follow a job",
    response_class=EventStream,
    responses={
        200: EVENTS,
        204: {"description": "Everything was told: the id is that of the last event. Do not come again"},
        **responses(404, 409, 422, 503),
    },
)
async def follow_job(job_id: JobId, request: Request, parts: PartsDep, last_event_id: LastEventId = None) -> Response:
    """What happens to the job, as server-sent events, until it ends.

    `status` brings the job as `GET /jobs/{id}` answers it: first of all while it goes on, whenever its status changes,
    and last of all when it has ended. `progress` brings its percent and step, `log` a line of its log, from the first.

    When the connection breaks, send the `id` of the last event as `Last-Event-ID`, as the EventSource of browsers does:
    any process of the API goes on after it, and no line comes twice or not at all. A comment every 15 s shows that the
    connection is alive while there is nothing to tell. The stream ends when its listener may not read any more.
    """
    mark, datasets = await run_in_threadpool(_find, parts.database, job_id)
    cursor = EventCursor.read(last_event_id, mark)
    if mark.is_end and not cursor.is_behind(mark):
        # The one answer that keeps an EventSource from coming again.
        return Response(status_code=204)
    if "head_only" in request.scope:
        return StreamingResponse(iter(()), headers=_HEADERS, media_type=EventStream.media_type)
    return EventStream(parts.following, parts.following.follower(job_id, cursor), request.scope, datasets)


@router.get(
    "/jobs/{job_id}/logs",
    summary="Read the log of a job",
    response_class=PlainTextResponse,
    responses={200: LOG, **responses(404, 409, 503)},
)
def read_job_log(job_id: JobId, request: Request, parts: PartsDep) -> Response:
    """What the job has said so far: for each line the moment in UTC, a space and the text.

    All attempts are in it, each begins with a line of its own. A log has a largest length; if it was reached, its last
    line says so.
    """
    with parts.database.read() as session:
        find_job(session, job_id)
    pages = iter(()) if "head_only" in request.scope else _pages(parts.database, job_id)
    return StreamingResponse(pages, media_type=PlainTextResponse.media_type)


def _find(database: Database, job_id: UUID) -> tuple[Mark, list[str]]:
    with database.read() as session:
        datasets = datasets_of(find_job(session, job_id))
        return marks(session, [job_id])[job_id], datasets


def _pages(database: Database, job_id: UUID) -> Iterator[str]:
    # A transaction for each page: a client that reads slowly must not keep one open.
    after = 0
    while True:
        with database.read() as session:
            lines = logs.read(session, job_id, after=after, limit=_PAGE_LINES)
        yield "".join(map(_as_text, lines))
        if len(lines) < _PAGE_LINES:
            return
        after = lines[-1].seq


def _as_text(line: LogLine) -> str:
    return f"{written(line.at, digits='milliseconds')} {line.text}\n"
