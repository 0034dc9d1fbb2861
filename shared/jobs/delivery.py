"""Which jobs are due, in which order, and which of them need another message."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.rows import NO_OWNER, JobRow
from shared.jobs.shares import running_by_share
from shared.jobs.states import Kind, State
from shared.settings import DEFAULT_POOL

# The one order of the queue: lower priorities first, then the job that has been due for longer. The id decides between
# jobs of the same moment, so that each place in the queue has one job.
ORDER = (JobRow.priority, JobRow.run_at, JobRow.id)

# A kind that only a newer release knows is left to the workers of that release.
_WAITING = (JobRow.status == State.QUEUED) & JobRow.kind.in_([str(kind) for kind in Kind])


@dataclass(frozen=True)
class Delivery:
    """A job id on its way to a worker."""

    job_id: UUID
    kind: Kind
    priority: int
    pool: str = DEFAULT_POOL


_TOLD = (JobRow.id, JobRow.kind, JobRow.priority, JobRow.pool)
_DEFAULT_ONLY = (DEFAULT_POOL,)


def due(
    session: Session,
    *,
    limit: int,
    since_seconds: float = 0.0,
    pools: Collection[str] = _DEFAULT_ONLY,
    most_running: int = 0,
) -> list[Delivery]:
    """Queued jobs of the pools that may run and have waited for at least `since_seconds`, in their order.

    With `most_running`, those are left out whose owners have so many running; so it is with the functions below.
    """
    query = (
        select(*_TOLD)
        .where(_WAITING, JobRow.pool.in_(pools), JobRow.run_at <= Now(-since_seconds), *_below(most_running))
        .order_by(*ORDER)
        .limit(limit)
    )
    return [Delivery(row.id, Kind(row.kind), row.priority, row.pool) for row in session.execute(query)]


def count_due(session: Session, *, pools: Collection[str] = _DEFAULT_ONLY, most_running: int = 0) -> int:
    """How many jobs of the pools could run now if a worker were free."""
    query = select(func.count()).where(_WAITING, JobRow.pool.in_(pools), JobRow.run_at <= Now(), *_below(most_running))
    return session.execute(query).scalar_one()


def count_due_by_pool(session: Session) -> dict[str, int]:
    """The same of every pool that has some."""
    query = select(JobRow.pool, func.count()).where(_WAITING, JobRow.run_at <= Now()).group_by(JobRow.pool)
    return {row[0]: row[1] for row in session.execute(query)}


def take_unpublished(
    session: Session,
    *,
    limit: int,
    quiet_seconds: float,
    pools: Collection[str] = _DEFAULT_ONLY,
    most_running: int = 0,
) -> list[Delivery]:
    """Due jobs of the pools that nobody was told of for `quiet_seconds`, in their order; marks them as published now.

    Two relays at the same moment take different rows: PostgreSQL passes over rows that another transaction holds,
    SQLite lets one write at a time. Passing over rows also keeps two relays from a deadlock.
    """
    unseen = JobRow.last_published_at.is_(None) | (JobRow.last_published_at < Now(-quiet_seconds))
    candidates = session.scalars(
        select(JobRow.id)
        .where(_WAITING, JobRow.pool.in_(pools), JobRow.run_at <= Now(), unseen, *_below(most_running))
        .order_by(*ORDER)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    taken = session.execute(
        update(JobRow).where(JobRow.id.in_(candidates)).values(last_published_at=Now()).returning(*_TOLD)
    )
    deliveries = {row.id: Delivery(row.id, Kind(row.kind), row.priority, row.pool) for row in taken}
    return [deliveries[job_id] for job_id in candidates if job_id in deliveries]


def _below(most_running: int) -> list[ColumnElement[bool]]:
    """What leaves out the jobs of owners that have so many running; nothing where there is no such limit."""
    if not most_running:
        return []
    full = running_by_share().having(func.count() >= most_running).subquery()
    return [JobRow.share.not_in(select(full.c.share).where(full.c.share != NO_OWNER))]
