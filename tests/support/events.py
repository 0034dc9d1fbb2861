"""A client of server-sent events."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import httpx2

# What a stream that goes on may be silent for.
_SECONDS = 60


class Told(NamedTuple):
    """One event as it came."""

    name: str
    data: dict[str, Any]
    id: str


def follow(url: str, job_id: UUID | str, *, after: str | None = None) -> Iterator[Told]:
    """The events of a job until the stream ends; close the iterator to go away earlier."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with httpx2.stream("GET", f"{url}/jobs/{job_id}/events", headers=headers, timeout=_SECONDS) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        for event in httpx2.EventSource(response):
            yield Told(event.event, json.loads(event.data), event.id)


class Listener:
    """Someone who follows a job in the background; `told` grows while events come."""

    def __init__(self, url: str, job_id: UUID | str, *, after: str | None = None) -> None:
        self.told: list[Told] = []
        self._thread = threading.Thread(target=self._listen, args=(url, job_id, after), name="listener")
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """The texts of the log that came so far."""
        return lines_of(self.told)

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return not self._thread.is_alive()

    def wait(self) -> list[Told]:
        """All that was told, once the stream has ended."""
        self._thread.join(_SECONDS)
        assert self.is_over, "the stream does not end"
        return self.told

    def _listen(self, url: str, job_id: UUID | str, after: str | None) -> None:
        for event in follow(url, job_id, after=after):
            self.told.append(event)


@contextmanager
def going_away_after(count: int, stream: Iterator[Told]) -> Iterator[list[Told]]:
    """The first events of a stream, after which the client goes away."""
    try:
        yield [event for _, event in zip(range(count), stream, strict=False)]
    finally:
        stream.close()  # type: ignore[attr-defined]  # `follow` is a generator


def lines_of(told: list[Told]) -> list[str]:
    """The texts of the log among some events."""
    return [event.data["text"] for event in told if event.name == "log"]
