"""What is remembered of jobs for a while only: idempotency keys, and the logs of jobs that ended long ago."""

from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.rows import IdempotencyKeyRow, JobLogRow, JobRow
from shared.jobs.states import TERMINAL

_KEYS, _JOBS = 500, 20


def expired_keys(session: Session) -> list[tuple[str, str]]:
    """Some of the idempotency keys that have expired, as pairs of principal and key."""
    query = (
        select(IdempotencyKeyRow.principal, IdempotencyKeyRow.key)
        .where(IdempotencyKeyRow.expires_at <= Now())
        .order_by(IdempotencyKeyRow.expires_at)
        .limit(_KEYS)
    )
    return [(row.principal, row.key) for row in session.execute(query)]


def forget_keys(session: Session, keys: list[tuple[str, str]]) -> int:
    """Delete those of the keys that are still expired (a request may have taken one anew), and return how many."""
    row = tuple_(IdempotencyKeyRow.principal, IdempotencyKeyRow.key)
    held = select(IdempotencyKeyRow.principal, IdempotencyKeyRow.key).where(
        row.in_(keys), IdempotencyKeyRow.expires_at <= Now()
    )
    # Rows that another janitor is deleting are left to it: of two that wait for each other, one would fail.
    free = [(taken.principal, taken.key) for taken in session.execute(held.with_for_update(skip_locked=True))]
    session.execute(delete(IdempotencyKeyRow).where(row.in_(free)))
    return len(free)


def old_logs(session: Session, *, keep_days: float) -> list[UUID]:
    """Some of the jobs that ended more than `keep_days` ago and still have a log."""
    lines = select(JobLogRow.job_id).where(JobLogRow.job_id == JobRow.id)
    query = select(JobRow.id).where(
        JobRow.status.in_(TERMINAL), JobRow.finished_at < Now(-keep_days * 86_400), lines.exists()
    )
    return list(session.scalars(query.limit(_JOBS)))


def forget_logs(session: Session, jobs: list[UUID]) -> int:
    """Delete the logs of ended jobs, which get no more lines, and return how many."""
    # Jobs whose logs another janitor is deleting are left to it.
    held = select(JobRow.id).where(JobRow.id.in_(jobs)).with_for_update(skip_locked=True)
    free = list(session.scalars(held))
    session.execute(delete(JobLogRow).where(JobLogRow.job_id.in_(free)))
    return len(free)
