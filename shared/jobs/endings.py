"""The ways in which an attempt ends without its effect, each one guarded UPDATE, and the delay before the next try.

A requested cancel wins over every other target: an accepted cancel is never followed by another run.
"""

import random
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, literal, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.errors import Cancelled
from shared.jobs.claims import EVENT_COLUMNS, JOBS, Claim, bind_claim, record, still_claimed
from shared.jobs.rows import NOT_STARTED
from shared.jobs.states import TERMINAL, State


@dataclass(frozen=True)
class Failure:
    """Why an attempt ended without its effect: a stable code and a sentence for the user."""

    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        """The form in which it is stored and shown."""
        return {"code": self.code, "message": self.message}


CANCELLED = Failure(
    Cancelled.code, "The job was cancelled on request and made nothing. To have it after all, retry it as a new job."
)


def fail(session: Session, claim: Claim, failure: Failure) -> State | None:
    """End the attempt for good."""
    return _leave(session, claim, literal(State.FAILED.value), failure)


def retry(
    session: Session, claim: Claim, failure: Failure, *, delay_seconds: float, max_transient_failures: int
) -> State | None:
    """Queue the job again after a passing failure, or fail it when there were too many."""
    too_many = JOBS.c.transient_count + 1 > max_transient_failures
    target = case((too_many, State.FAILED.value), else_=State.QUEUED.value)
    return _leave(
        session,
        claim,
        target,
        failure,
        transient_count=JOBS.c.transient_count + 1,
        run_at=Now(delay_seconds),
        last_published_at=None,
    )


def crash(session: Session, claim: Claim, failure: Failure, *, max_crashes: int) -> State | None:
    """Queue the job again after its computing process died, or quarantine it at the last allowed crash."""
    return _leave(
        session,
        claim,
        after_crash(max_crashes),
        failure,
        crash_count=JOBS.c.crash_count + 1,
        run_at=Now(),
        last_published_at=None,
    )


def hand_back(session: Session, claim: Claim) -> State | None:
    """Queue the job again because its worker is asked to stop; counts as neither crash nor failure."""
    return _leave(session, claim, literal(State.QUEUED.value), None, run_at=Now(), last_published_at=None)


def confirm_cancel(session: Session, claim: Claim) -> State | None:
    """End an attempt whose cancellation was requested; None when none was, or the job is not ours."""
    return _leave(session, claim, literal(State.CANCELLED.value), None, only_if=JOBS.c.cancel_requested_at.is_not(None))


def backoff_seconds(transient_count: int, *, base_seconds: float) -> float:
    """How long to wait after the given number of passing failures: doubling, at most 5 minutes, with jitter.

    Jitter spreads the jobs that one outage sent back (Brooker, "Exponential Backoff And Jitter", 2015).
    """
    ceiling = min(300.0, base_seconds * 2.0 ** min(transient_count, 60))
    return random.uniform(base_seconds / 2, ceiling)  # noqa: S311 - no secret depends on it


def after_crash(max_crashes: int) -> ColumnElement[str]:
    """Queued again, or quarantined when this crash is the last allowed one."""
    return case((JOBS.c.crash_count + 1 >= max_crashes, State.QUARANTINED.value), else_=State.QUEUED.value)


def state_unless_cancelled(target: ColumnElement[str]) -> ColumnElement[str]:
    """`target`, or cancelled when a cancel was requested."""
    return case((JOBS.c.cancel_requested_at.is_not(None), State.CANCELLED.value), else_=target)


def error_unless_cancelled(failure: Failure | None) -> ColumnElement[Any]:
    """The error to store: `failure`, or "cancelled" if a cancel was requested."""
    kind = JOBS.c.error.type
    cancelled = literal(CANCELLED.as_json(), kind)
    return case(
        (JOBS.c.cancel_requested_at.is_not(None), cancelled),
        else_=literal(failure.as_json() if failure else None, kind),
    )


def finished_at_for(target: ColumnElement[str]) -> ColumnElement[Any]:
    """The time of the end if the job ends, else null."""
    return case((state_unless_cancelled(target).in_(TERMINAL), Now()), else_=None)


def progress_for(target: ColumnElement[str]) -> ColumnElement[Any]:
    """The progress of a job that starts again, else how far it came."""
    start = literal(NOT_STARTED, JOBS.c.progress.type)
    return case((state_unless_cancelled(target) == State.QUEUED, start), else_=JOBS.c.progress)


def _leave(
    session: Session,
    claim: Claim,
    target: ColumnElement[str],
    failure: Failure | None,
    *,
    only_if: ColumnElement[bool] | None = None,
    **values: Any,
) -> State | None:
    """End the attempt without its effect; a requested cancel wins over every other target."""
    row = session.execute(
        update(JOBS)
        .where(still_claimed(), *([] if only_if is None else [only_if]))
        .values(
            status=state_unless_cancelled(target),
            lease_until=None,
            error=error_unless_cancelled(failure),
            finished_at=finished_at_for(target),
            progress=progress_for(target),
            **values,
        )
        .returning(*EVENT_COLUMNS),
        bind_claim(claim),
    ).one_or_none()
    if row is None:
        return None
    record(session, row.id, before=State.RUNNING, after=State(row.status), epoch=row.epoch, actor=claim.worker)
    return State(row.status)
