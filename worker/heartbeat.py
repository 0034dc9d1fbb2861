"""Keeps the lease of one attempt and learns that it must stop."""

import threading
import time
from types import TracebackType
from typing import Self

from shared.database import Database
from shared.errors import DatabaseUnavailable
from shared.jobs import lifecycle
from shared.jobs.lifecycle import Claim, Fenced
from shared.logging import get_logger
from shared.settings import Settings

log = get_logger(__name__)

# How soon a running attempt notices that its cancellation was requested.
WATCH_SECONDS = 0.5


class CancelRequested(Exception):
    """The client cancelled the job while this attempt ran."""


class Heartbeat:
    """A thread beside the attempt. It only takes notes; `check` tells the attempt in its own thread."""

    def __init__(self, database: Database, settings: Settings, claim: Claim) -> None:
        self._database = database
        self._claim = claim
        self._lease_seconds = settings.lease_seconds
        self._beat_seconds = settings.beat_seconds
        # The own clock, as the database's may be out of reach: until here the lease is surely ours.
        self._deadline = time.monotonic() + settings.lease_seconds
        self._lost = False
        self._cancelled = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def lease_is_over(self) -> bool:
        """Whether the lease is lost, or may be."""
        return self._lost or time.monotonic() >= self._deadline

    def check(self) -> None:
        """Return while the attempt may go on.

        Raises:
            Fenced: when the lease is lost, or may be.
            CancelRequested: when the client wants the job stopped.
        """
        if self.lease_is_over:
            raise Fenced
        if self._cancelled:
            raise CancelRequested

    def _run(self) -> None:
        next_beat = time.monotonic() + self._beat_seconds
        while not self._over.wait(min(WATCH_SECONDS, self._beat_seconds)) and not self._lost:
            try:
                if time.monotonic() >= next_beat:
                    self._renew()
                    next_beat = time.monotonic() + self._beat_seconds
                self._watch()
            except DatabaseUnavailable:
                log.warning("heartbeat_missed", seconds_left=round(self._deadline - time.monotonic(), 1))

    def _renew(self) -> None:
        asked_at = time.monotonic()
        with self._database.write() as session:
            renewed = lifecycle.beat(session, self._claim, lease_seconds=self._lease_seconds)
        if renewed:
            self._deadline = asked_at + self._lease_seconds
        else:
            self._lost = True

    def _watch(self) -> None:
        try:
            with self._database.read() as session:
                self._cancelled = self._cancelled or lifecycle.cancel_requested(session, self._claim)
        except Fenced:
            self._lost = True
