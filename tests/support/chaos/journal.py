"""What clients did and were told, with the times at which they began to ask and had the answer."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

OK, ACCEPTED, CONFLICT = 200, 202, 409
FIRST_ERROR = 400
# The paths whose 202 is a promise that a job will end.
_PROMISES = ("/train", "/promote", "/predict/batch")


@dataclass(frozen=True)
class Call:
    """One request and what came back; times are of the monotonic clock."""

    method: str
    path: str
    body: Any
    key: str | None
    began: float
    ended: float
    # None: no answer came.
    status: int | None
    # The answer as JSON, where it is any, and word for word.
    answer: Any
    text: str

    @property
    def is_promise(self) -> bool:
        """Whether the answer promises that a job will end: an accepted train, promote, batch or retry."""
        asked = self.method == "POST" and (self.path in _PROMISES or self.path.endswith("/retry"))
        return asked and self.status == ACCEPTED

    @property
    def is_accepted_cancel(self) -> bool:
        """Whether the answer promises that a job will not succeed any more."""
        return self.method == "POST" and self.path.endswith("/cancel") and self.status == ACCEPTED

    @property
    def is_error(self) -> bool:
        """Whether something else than a success was answered."""
        return self.status is not None and self.status >= FIRST_ERROR

    @property
    def job_id(self) -> UUID:
        """The job that the answer is about."""
        return UUID(self.answer["job_id"])


@dataclass
class Journal:
    """All calls, from any thread."""

    calls: list[Call] = field(default_factory=list)
    # Whether every job was asked for with a key, so that one without would be a doubled one.
    only_with_keys: bool = False
    # Times from when to when an API process could not see or do what others can; of the monotonic clock.
    blind: list[tuple[float, float]] = field(default_factory=list)
    # Both clocks at one moment, to compare the calls' times with those of the database on the same machine.
    _monotonic: float = field(default_factory=time.monotonic)
    _wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: Call) -> None:
        """Note a call that is over."""
        with self._lock:
            self.calls.append(call)

    def promises(self) -> Iterator[Call]:
        """The calls that were answered with a job which must end."""
        return (call for call in self.calls if call.is_promise)

    def accepted_jobs(self) -> set[UUID]:
        """Every job that a client was promised."""
        return {call.job_id for call in self.promises()}

    def sighted(self, monotonic: float) -> float:
        """When an API process could last surely look at the registry and act on it: then, or before it went blind."""
        for began, ended in sorted(self.blind, reverse=True):
            if began <= monotonic <= ended:
                monotonic = began
        return monotonic

    def moment(self, monotonic: float) -> datetime:
        """The time of day at a time of the monotonic clock."""
        return self._wall + timedelta(seconds=monotonic - self._monotonic)
