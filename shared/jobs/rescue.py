"""Jobs whose worker went silent are taken away from it and queued again."""

from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.errors import WorkerLost
from shared.jobs.claims import EVENT_COLUMNS, JOBS, record
from shared.jobs.endings import (
    Failure,
    after_crash,
    error_unless_cancelled,
    finished_at_for,
    progress_for,
    state_unless_cancelled,
)
from shared.jobs.states import State

WORKER_LOST = Failure(
    WorkerLost.code,
    "The worker was lost while it ran this job. If that happens again and again, look at the memory of its machine and "
    "at its log, and train on fewer rows or with a smaller model.",
)


def abandoned(session: Session, *, limit: int = 100) -> list[UUID]:
    """Ids of running jobs whose lease ran out, the longest abandoned first."""
    query = (
        select(JOBS.c.id)
        .where(JOBS.c.status == State.RUNNING, JOBS.c.lease_until < Now())
        .order_by(JOBS.c.lease_until)
        .limit(limit)
    )
    return list(session.scalars(query))


def rescue(session: Session, job_id: UUID, *, actor: str, max_crashes: int) -> State | None:
    """Take a job whose lease ran out away from its attempt; None when the lease is valid after all.

    Raising the epoch fences the old attempt in the same statement that frees the job. A job whose cancel was requested
    ends as cancelled, and no crash is counted.
    """
    row = session.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.status == State.RUNNING, JOBS.c.lease_until < Now())
        .values(
            status=state_unless_cancelled(after_crash(max_crashes)),
            epoch=JOBS.c.epoch + 1,
            crash_count=case((JOBS.c.cancel_requested_at.is_(None), JOBS.c.crash_count + 1), else_=JOBS.c.crash_count),
            lease_until=None,
            run_at=Now(),
            last_published_at=None,
            error=error_unless_cancelled(WORKER_LOST),
            # Nobody measured this attempt; the numbers of an earlier attempt would be wrong here.
            usage=None,
            finished_at=finished_at_for(after_crash(max_crashes)),
            progress=progress_for(after_crash(max_crashes)),
        )
        .returning(*EVENT_COLUMNS)
    ).one_or_none()
    if row is None:
        return None
    record(session, row.id, before=State.RUNNING, after=State(row.status), epoch=row.epoch, actor=actor)
    return State(row.status)
