"""How deep the queue is: how many jobs wait, those of all owners together."""

from functools import cache
from math import ceil

from sqlalchemy import Select, bindparam, func, literal, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.rows import JobRow
from shared.jobs.states import State

_JOBS = JobRow.metadata.tables[JobRow.__tablename__]
# Where nothing runs, nobody can tell when something will.
_LONGEST_SECONDS = 60


def waiting_up_to(session: Session, most: int) -> int:
    """How many jobs wait; beyond `most` it is not counted on."""
    count: int = session.execute(_waiting(), {"most": most}).scalar_one()
    return count


def seconds_to_next_begin(session: Session) -> int:
    """After how many seconds the next job will begin, by those that run: 1 to 60.

    Jobs that run are half done, taken together: as long as they have run, so long they will, and each end begins one.
    """
    claimed = list(session.scalars(select(_JOBS.c.claimed_at).where(_JOBS.c.status == State.RUNNING)))
    if not claimed:
        return _LONGEST_SECONDS
    now = session.execute(select(Now())).scalar_one()
    ran: float = sum(max(0.0, (now - each).total_seconds()) for each in claimed if each is not None)
    return min(max(1, ceil(2 * ran / len(claimed) ** 2)), _LONGEST_SECONDS)


@cache
def _waiting() -> Select[int]:
    some = select(literal(1)).where(_JOBS.c.status == State.QUEUED).limit(bindparam("most"))
    return select(func.count()).select_from(some.subquery())
