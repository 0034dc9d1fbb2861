"""Where jobs stand in the queue, in which the owners of jobs take turns (`shared.jobs.turns`)."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from shared.accounts.sight import whole
from shared.clock import Now
from shared.jobs.rows import JobRow
from shared.jobs.shares import running_by_share
from shared.jobs.states import State
from shared.jobs.turns import NEVER

_LATEST = datetime.max.replace(tzinfo=UTC)


class Place(NamedTuple):
    """Where a queued job stands among those of its pool.

    1 is the next one; None before its `run_at`, when it cannot be begun yet. `running` counts those of its pool, too.
    """

    position: int | None
    running: int
    waiting_seconds: float
    run_at: datetime


class _Waiting(NamedTuple):
    """What an owner has that is due, by its priorities: how many jobs, and since when the oldest."""

    due: dict[int, int]
    oldest: dict[int, datetime]
    running: int
    last_served: datetime

    def begun_before(self, priority: int) -> int:
        """How many jobs will have begun when it comes to those of the priority."""
        return self.running + self.more_urgent(priority)

    def more_urgent(self, priority: int) -> int:
        """How many have a lower priority."""
        return sum(count for each, count in self.due.items() if each < priority)

    def turn(self, priority: int) -> tuple[int, datetime, datetime]:
        """What decides between owners with as many begun: who has just come to that number waits for the others."""
        return -self.begun_before(priority), self.last_served, self.oldest.get(priority, _LATEST)


def places_in_queue(session: Session, job_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Where those of the jobs stand that are queued, if what runs goes on until they have begun.

    Counts all that wait in their pools, so it is not for long lists.
    """
    with whole(session):
        rows = session.execute(_asked(job_ids)).all()
        pools = {pool: _waiting(session, pool) for pool in {row.pool for row in rows if row.older is not None}}
    return {
        row.id: Place(
            position=None if row.older is None else _position(row, pools[row.pool]),
            running=row.running,
            waiting_seconds=max(0.0, (row.now - row.run_at).total_seconds()),
            run_at=row.run_at,
        )
        for row in rows
    }


def _asked(job_ids: Collection[UUID]) -> "Select[Any]":
    other = aliased(JobRow)
    beside, is_due = other.pool == JobRow.pool, other.run_at <= Now()
    alike = (other.status == State.QUEUED, beside, other.share == JobRow.share, other.priority == JobRow.priority)
    older = select(func.count()).where(
        *alike, is_due, tuple_(other.run_at, other.id) < tuple_(JobRow.run_at, JobRow.id)
    )
    running = select(func.count()).where(other.status == State.RUNNING, beside)
    return select(
        *(JobRow.id, JobRow.pool, JobRow.priority, JobRow.share, JobRow.run_at, Now().label("now")),
        case((JobRow.run_at <= Now(), older.scalar_subquery()), else_=None).label("older"),
        running.scalar_subquery().label("running"),
    ).where(JobRow.id.in_(job_ids), JobRow.status == State.QUEUED)


def _waiting(session: Session, pool: str) -> dict[str, _Waiting]:
    """What is due in a pool, by its owners."""
    due = select(JobRow.share, JobRow.priority, func.count(), func.min(JobRow.run_at))
    due = due.where(JobRow.status == State.QUEUED, JobRow.pool == pool, JobRow.run_at <= Now())
    counts: dict[str, dict[int, int]] = {}
    oldest: dict[str, dict[int, datetime]] = {}
    for share, priority, count, since in session.execute(due.group_by(JobRow.share, JobRow.priority)):
        counts.setdefault(share, {})[priority] = count
        oldest.setdefault(share, {})[priority] = since
    running: dict[str, int] = {row[0]: row[1] for row in session.execute(running_by_share())}
    last: dict[str, datetime | None] = {}
    # Nobody takes turns with nobody.
    if len(counts) > 1:
        served = select(JobRow.share, func.max(JobRow.claimed_at)).where(JobRow.share.in_(counts))
        last = {row[0]: row[1] for row in session.execute(served.group_by(JobRow.share))}
    return {
        share: _Waiting(count, oldest[share], running.get(share, 0), last.get(share) or NEVER)
        for share, count in counts.items()
    }


def _position(job: Any, waiting: dict[str, _Waiting]) -> int:
    """1 for the job that is next. What came or ended between two statements cannot make it less."""
    mine = waiting.get(job.share)
    if mine is None:
        return 1
    older: int = job.older
    begun, turn = mine.begun_before(job.priority) + older, (mine.turn(job.priority), job.share)
    position = 1 + older + sum(each.more_urgent(job.priority) for each in waiting.values())
    for share, other in waiting.items():
        if share != job.share:
            ahead = begun - other.begun_before(job.priority) + ((other.turn(job.priority), share) < turn)
            position += min(max(ahead, 0), other.due.get(job.priority, 0))
    return position
