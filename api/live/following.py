"""Clients that follow jobs, all served by one poller with a few queries for all of them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from typing import NamedTuple
from uuid import UUID

import anyio
import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError

from api.live.follower import EventCursor, Feed, Follower
from api.live.freshness import Freshness
from api.schemas.jobs import Job
from shared.database import Database
from shared.errors import PlatformError
from shared.jobs import logs
from shared.jobs.logs import LogLine
from shared.jobs.marks import Mark, marked_jobs, marks
from shared.jobs.places import places_in_queue
from shared.jobs.states import State
from shared.logging import get_logger
from shared.settings import Settings

log = get_logger(__name__)

_PAGE_LINES = 200


class _News(NamedTuple):
    """What one round has read: where the jobs are, those that changed, and the lines that were waited for."""

    marks: dict[UUID, Mark]
    jobs: dict[UUID, Job]
    lines: dict[UUID, list[LogLine]]


class Following:
    """Asks the database for all jobs that somebody follows, while somebody does.

    Everything is seen whoever did it, with no message that could get lost. Belongs to one event loop.
    """

    def __init__(
        self,
        database: Database,
        freshness: Freshness,
        settings: Settings,
        *,
        poll_seconds: float = 0.2,
        heartbeat_seconds: float = 15.0,
    ) -> None:
        self._database = database
        self._freshness = freshness
        self._settings = settings
        self._poll_seconds = poll_seconds
        self.heartbeat_seconds = heartbeat_seconds
        self._followers: dict[UUID, set[Follower]] = {}
        self._feeds: dict[UUID, Feed] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        self._hurried = asyncio.Event()
        # Its own, so that requests which wait for the database cannot hold up those that follow a job.
        self._reading = anyio.CapacityLimiter(1)

    def follower(self, job_id: UUID, cursor: EventCursor) -> Follower:
        """A client that follows a job from `cursor` on; it is served within `serve`."""
        return Follower(
            job_id,
            cursor,
            heartbeat_seconds=self.heartbeat_seconds,
            before_telling=self._freshness.before_telling,
            hurry=self._hurried.set,
        )

    @contextmanager
    def serve(self, follower: Follower) -> Iterator[None]:
        """Serve a client for the time of the block; nothing of it stays."""
        job_id = follower.job_id
        if self._closed:
            follower.end()
            yield
            return
        self._followers.setdefault(job_id, set()).add(follower)
        feed = self._feeds.get(job_id)
        if feed is not None and feed.mark.status == State.QUEUED:
            # Who comes later is told where the job stands now.
            del self._feeds[job_id]
        self._hurried.set()
        if self._poller is None or self._poller.done():
            # In a context of its own: it looks for all clients, and not with the eyes of the first one.
            self._poller = asyncio.create_task(self._poll(), context=Context())
        try:
            yield
        finally:
            self._followers[job_id].discard(follower)
            if not self._followers[job_id]:
                del self._followers[job_id]
                self._feeds.pop(job_id, None)

    def streams(self) -> int:
        """How many clients follow a job."""
        return sum(len(followers) for followers in list(self._followers.values()))

    def close(self) -> None:
        """Let every stream end."""
        self._closed = True
        self._end_all()
        if self._poller is not None:
            self._poller.cancel()

    async def _poll(self) -> None:
        try:
            while self._followers:
                self._hurried.clear()
                await self._round()
                try:
                    async with asyncio.timeout(self._poll_seconds):
                        await self._hurried.wait()
                except TimeoutError:
                    continue
        except (PlatformError, SQLAlchemyError) as error:
            log.warning("event_streams_ended", streams=self.streams(), error=type(error).__name__)
        finally:
            # Whoever followed comes again; a stream without this task would be silent forever.
            self._end_all()

    async def _round(self) -> None:
        feeds = self._feeds
        known = {job_id: feeds[job_id].mark.event_seq if job_id in feeds else 0 for job_id in self._followers}
        places = {
            (job_id, follower.place)
            for job_id, followers in self._followers.items()
            for follower in followers
            if follower.place is not None
        }
        news = await anyio.to_thread.run_sync(self._read, known, places, limiter=self._reading)
        for job_id, mark in news.marks.items():
            # Who came or went meanwhile is served by the next round.
            if job_id in self._followers and (job_id in news.jobs or job_id in feeds):
                feeds[job_id] = Feed(mark, news.jobs[job_id] if job_id in news.jobs else feeds[job_id].job)
                self._tell(job_id, news.lines.get(job_id, []), places)

    def _tell(self, job_id: UUID, lines: list[LogLine], places: Collection[tuple[UUID, int]]) -> None:
        for follower in self._followers[job_id]:
            place = follower.place
            page: list[LogLine] = []
            if place is not None and (job_id, place) in places:
                # The lines may be those of several pages.
                page = [line for line in lines if place < line.seq <= place + _PAGE_LINES]
            follower.hear(self._feeds[job_id], page)

    def _read(self, known: Mapping[UUID, int], places: Collection[tuple[UUID, int]]) -> _News:
        with self._database.read() as session:
            found = marks(session, known)
            changed = [job_id for job_id, mark in found.items() if mark.event_seq != known[job_id]]
            jobs = {}
            # Each with the mark of the same moment: a status told under an older one would be told twice.
            rows = marked_jobs(session, changed) if changed else {}
            queued = [job_id for job_id, (row, _) in rows.items() if row.status == State.QUEUED]
            standing = places_in_queue(session, queued) if queued else {}
            for job_id, (row, mark) in rows.items():
                jobs[job_id] = Job.from_row(row, self._settings, place=standing.get(job_id))
                found[job_id] = mark
            behind = [(job_id, after) for job_id, after in places if job_id in found and after < found[job_id].log_seq]
            return _News(found, jobs, logs.read_many(session, behind, limit=_PAGE_LINES) if behind else {})

    def _end_all(self) -> None:
        for followers in self._followers.values():
            for follower in followers:
                follower.end()
