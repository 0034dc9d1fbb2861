"""Requests that wait for the end of a job, all served by one query."""

import asyncio
from collections.abc import Collection
from contextvars import Context
from uuid import UUID

import anyio
import anyio.to_thread
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from shared.database import Database
from shared.errors import PlatformError
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL


class JobWatch:
    """Asks the database for all jobs that somebody waits for, while somebody does.

    A job that ends is seen here however it ended and whoever ended it, with no message that could get lost. Belongs
    to one event loop.
    """

    def __init__(self, database: Database, *, poll_seconds: float = 0.03) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._waiting: dict[UUID, set[asyncio.Future[None]]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        # Its own, so that requests which wait for the database cannot hold up those that wait for a job.
        self._thread = anyio.CapacityLimiter(1)

    async def wait_for_end(self, job_id: UUID, *, seconds: float, request: Request) -> None:
        """Return when the job has ended or is unknown, or `seconds` have passed, or the platform stops.

        Raises:
            DatabaseUnavailable: when the database goes away meanwhile.
            ClientDisconnect: when the client does.
        """
        if self._closed:
            return
        ended = self._watch(job_id)
        gone = asyncio.create_task(_disconnect(request))
        try:
            await asyncio.wait({ended, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
            elif gone.done():
                raise ClientDisconnect
        finally:
            gone.cancel()
            self._forget(job_id, ended)

    def waits(self) -> int:
        """How many requests wait for a job."""
        return sum(len(futures) for futures in list(self._waiting.values()))

    def close(self) -> None:
        """Let everybody who waits go on with what is known."""
        self._closed = True
        for job_id in list(self._waiting):
            self._tell(job_id, None)
        if self._poller is not None:
            self._poller.cancel()

    def _watch(self, job_id: UUID) -> asyncio.Future[None]:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, set()).add(ended)
        if self._poller is None or self._poller.done():
            # In a context of its own: it looks for all requests, and not with the eyes of the first one.
            self._poller = asyncio.create_task(self._poll(), context=Context())
        return ended

    async def _poll(self) -> None:
        while self._waiting:
            asked = list(self._waiting)
            try:
                for job_id in await anyio.to_thread.run_sync(self._ended, asked, limiter=self._thread):
                    self._tell(job_id, None)
            except (PlatformError, SQLAlchemyError) as error:
                for job_id in asked:
                    self._tell(job_id, error)
            await asyncio.sleep(self._poll_seconds)

    def _ended(self, asked: Collection[UUID]) -> set[UUID]:
        """Those of the jobs for which there is nothing to wait for."""
        open_jobs = select(JobRow.id).where(JobRow.id.in_(asked), JobRow.status.not_in(TERMINAL))
        with self._database.read() as session:
            return set(asked) - set(session.scalars(open_jobs))

    def _tell(self, job_id: UUID, error: Exception | None) -> None:
        for future in self._waiting.pop(job_id, set()):
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _forget(self, job_id: UUID, ended: asyncio.Future[None]) -> None:
        futures = self._waiting.get(job_id, set())
        futures.discard(ended)
        if not futures:
            self._waiting.pop(job_id, None)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
