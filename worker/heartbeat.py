"""Keeps the lease of one attempt and learns that it must stop."""

import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

from shared.database import Database
from shared.errors import DatabaseFailure
from shared.jobs import claims, logs
from shared.jobs.claims import Claim, Fenced
from shared.logging import get_logger
from shared.settings import Settings
from worker.lines import Lines

log = get_logger(__name__)

# How often a running attempt looks whether it was cancelled.
WATCH_SECONDS = 0.5
_JOIN_SECONDS = 5
# The most lines in one transaction: on SQLite all other writers wait for it.
_MOST_AT_ONCE = 200


class AttemptProgress(NamedTuple):
    """How far an attempt is."""

    percent: int
    step: str
    estimated: bool = False


# What a claim writes.
FIRST_STEP = AttemptProgress(0, "reading")


class CancelRequested(Exception):
    """The client cancelled the job while this attempt ran."""


class Heartbeat:
    """A thread beside the attempt, and the only one that speaks to the database while the attempt computes.

    A database that does not answer thus holds up nothing but this thread. It takes notes; `check` tells the attempt in
    its own thread.
    """

    def __init__(self, database: Database, settings: Settings, claim: Claim, *, since: float) -> None:
        """`since` is the monotonic time before the claim was asked for: until a lease later, it is surely ours."""
        self._database = database
        self._claim = claim
        self._lease_seconds = settings.lease_seconds
        self._beat_seconds = settings.beat_seconds
        self._deadline = since + settings.lease_seconds
        self._lost = False
        self._cancelled = False
        self._progress = FIRST_STEP
        self._shown = FIRST_STEP
        self._most_lines = settings.job_log_lines
        self.lines = Lines(most=self._most_lines)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{claim.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        # The thread may wait for a database that does not answer. It is a daemon, and does nothing when it goes on.
        self._thread.join(timeout=_JOIN_SECONDS)

    @property
    def progress(self) -> AttemptProgress:
        """The last progress that the attempt told of."""
        return self._progress

    def show(self, percent: int, step: str, estimated: bool = False) -> None:
        """Have progress shown on the job, not more often than people can see; returns at once. It never falls."""
        self._progress = AttemptProgress(max(percent, self._progress.percent), step, estimated)

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
                self._tell()
            except DatabaseFailure:
                log.warning("heartbeat_missed", seconds_left=round(self._deadline - time.monotonic(), 1))
            except Exception:
                # Without this thread the lease runs out, so an error in one round must not end the thread.
                log.exception("heartbeat_failed")

    def _renew(self) -> None:
        asked_at = time.monotonic()
        with self._database.write() as session:
            renewed = claims.beat(session, self._claim, lease_seconds=self._lease_seconds)
        if renewed:
            self._deadline = asked_at + self._lease_seconds
        else:
            self._lost = True

    def _watch(self) -> None:
        try:
            with self._database.read() as session:
                self._cancelled = self._cancelled or claims.cancel_requested(session, self._claim)
        except Fenced:
            self._lost = True

    def _tell(self) -> None:
        progress, lines = self._progress, self.lines.waiting(limit=_MOST_AT_ONCE)
        if progress == self._shown and not lines:
            return
        with self._database.write() as session:
            if progress != self._shown:
                claims.report_progress(session, self._claim, **progress._asdict())
            if lines:
                logs.append(session, self._claim, lines, most=self._most_lines)
        self._shown = progress
        self.lines.forget(lines)
