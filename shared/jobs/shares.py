"""What is counted of each owner of jobs: how many are running, and how many are open."""

from functools import cache
from hashlib import sha256

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, text
from sqlalchemy.orm import Session

from shared.jobs.rows import NO_OWNER, JobRow
from shared.jobs.states import State

_JOBS = JobRow.metadata.tables[JobRow.__tablename__]
_OTHERS = _JOBS.alias("others")

# The lock on the shares of all owners together; no user has this name.
ALL_SHARES = "*"


def lock_share(session: Session, share: str) -> None:
    """Have others that count what is in the same share wait until this transaction ends; do it first.

    SQLite lets one transaction write at a time anyway.
    """
    if share != NO_OWNER and session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(sha256(f"what {share} has".encode()).digest()[:8], signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def count_open(session: Session, share: str) -> dict[State, int]:
    """How many jobs of an owner are queued, and how many are running."""
    counts = {State.QUEUED: 0, State.RUNNING: 0}
    return counts | {State(row[0]): row[1] for row in session.execute(_open(), {"its_share": share})}


def running_by_share() -> "Select[str, int]":
    """How many jobs each owner has running, of those that have any."""
    query = select(_JOBS.c.share, func.count().label("running_jobs"))
    return query.where(_JOBS.c.status == State.RUNNING).group_by(_JOBS.c.share)


def may_run_more(most: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the owner of a job has fewer than so many running. Jobs without an owner are never too many."""
    running = select(func.count()).where(_OTHERS.c.status == State.RUNNING, _OTHERS.c.share == _JOBS.c.share)
    return or_(_JOBS.c.share == NO_OWNER, running.scalar_subquery() < most)


@cache
def _open() -> "Select[str, int]":
    query = select(_JOBS.c.status, func.count()).where(_JOBS.c.share == bindparam("its_share"))
    return query.where(_JOBS.c.status.in_([State.QUEUED, State.RUNNING])).group_by(_JOBS.c.status)
