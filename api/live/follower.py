"""One client that follows a job: which events it is told, and in which order.

A status comes before the lines that belong to it, but the last one comes after all lines, and then nothing more.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Self
from uuid import UUID

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.schemas.base import written
from api.schemas.jobs import Job, Progress
from shared.errors import InvalidRequest
from shared.jobs.logs import LogLine
from shared.jobs.marks import Mark
from shared.jobs.states import State

HEADER = "Last-Event-ID"
_FORM = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")


class EventCursor(NamedTuple):
    """The last transition and the last line of the log that the client was told of."""

    event_seq: int = 0
    log_seq: int = 0

    @classmethod
    def read(cls, text: str | None, mark: Mark) -> Self:
        """The place that a header names in the history of a job that has come to `mark`; the beginning without one.

        Raises:
            InvalidRequest: when no event of this job has that id. To go on from a guess could leave out lines, and a
                browser sends only ids that it was given.
        """
        if not text:
            return cls()
        match = _FORM.fullmatch(text)
        cursor = cls(*map(int, match.groups())) if match else None
        if cursor is None or cursor.event_seq > mark.event_seq or cursor.log_seq > mark.log_seq:
            sentence = (
                f"The header {HEADER} is not the id of an event of this job. Send the id of the last event that came, "
                "or leave the header out to get all events."
            )
            raise InvalidRequest(sentence, errors=[{"loc": ["header", HEADER], "msg": sentence}])
        return cursor

    def is_behind(self, mark: Mark) -> bool:
        """Whether there is something that the client was not told of."""
        return self.event_seq < mark.event_seq or self.log_seq < mark.log_seq

    def __str__(self) -> str:
        return f"{self.event_seq}-{self.log_seq}"


class Feed(NamedTuple):
    """What is known of a job: where it is, and the job as it was told at its last transition."""

    mark: Mark
    job: Job

    def job_now(self) -> Job:
        """The job as it is."""
        return self.job.model_copy(update={"progress": Progress.model_validate(self.mark.progress)})


class Follower:
    """The events for one client as chunks of bytes; iterate over it once.

    It holds one page of lines at most: only when the client has taken them, the next ones are asked for. Belongs to
    one event loop, and holds nothing that would have to be given back.
    """

    def __init__(
        self,
        job_id: UUID,
        cursor: EventCursor,
        *,
        heartbeat_seconds: float,
        before_telling: Callable[[UUID], Awaitable[None]],
        hurry: Callable[[], None],
    ) -> None:
        """`before_telling` is awaited before a success is told, `hurry` asks for more lines at once."""
        self.job_id = job_id
        self._cursor = cursor
        self._heartbeat_seconds = heartbeat_seconds
        self._before_telling = before_telling
        self._hurry = hurry
        self._feed: Feed | None = None
        self._lines: Sequence[LogLine] = ()
        self._told_progress: dict[str, Any] | None = None
        self._news = asyncio.Event()
        self._over = False

    @property
    def place(self) -> int | None:
        """After which line it waits for more; None while the client has not taken those that are here."""
        return None if self._lines else self._cursor.log_seq

    def hear(self, feed: Feed, lines: Sequence[LogLine]) -> None:
        """Take what is known now of the job, with lines that come next."""
        if lines:
            self._lines = lines
        if lines or self._feed is None or feed.mark != self._feed.mark:
            self._feed = feed
            self._news.set()

    def end(self) -> None:
        """Let the stream end; the client comes again with the id of the last event, if there is more to be told."""
        self._over = True
        self._news.set()

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> bytes:
        heartbeat_at = asyncio.get_running_loop().time() + self._heartbeat_seconds
        while True:
            self._news.clear()
            if self._feed is not None and (chunk := await self._next(self._feed)):
                return chunk
            if self._over:
                raise StopAsyncIteration
            try:
                async with asyncio.timeout_at(heartbeat_at):
                    await self._news.wait()
            except TimeoutError:
                return KEEPALIVE_COMMENT

    async def _next(self, feed: Feed) -> bytes:
        mark = feed.mark
        events = [] if mark.is_end else self._present(feed)
        taken, self._lines = self._lines, ()
        for line in taken:
            self._cursor = self._cursor._replace(log_seq=line.seq)
            events.append(self._event("log", _as_json({"at": written(line.at), "text": line.text})))
        if taken and self._cursor.log_seq < mark.log_seq:
            self._hurry()
        if mark.is_end and self._cursor.log_seq >= mark.log_seq and not self._over:
            if mark.status == State.SUCCEEDED:
                await self._before_telling(self.job_id)
            self._over = True
            events.append(self._status(feed))
        return b"".join(events)

    def _present(self, feed: Feed) -> list[bytes]:
        if self._cursor.event_seq < feed.mark.event_seq:
            return [self._status(feed)]
        if self._told_progress != feed.mark.progress:
            self._told_progress = feed.mark.progress
            return [self._event("progress", Progress.model_validate(feed.mark.progress).model_dump_json())]
        return []

    def _status(self, feed: Feed) -> bytes:
        self._cursor = self._cursor._replace(event_seq=feed.mark.event_seq)
        self._told_progress = feed.mark.progress
        return self._event("status", feed.job_now().model_dump_json())

    def _event(self, name: str, data: str) -> bytes:
        return format_sse_event(event=name, data_str=data, id=str(self._cursor))


def _as_json(data: dict[str, Any]) -> str:
    """In the form of all bodies here."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
