"""How deep the queue is: how many jobs wait, those of all owners together."""

from functools import cache
from math import ceil

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.rows import LAST_PRIORITY, JobRow
from shared.jobs.states import Kind, State
from shared.settings import DEFAULT_POOL

_JOBS = JobRow.metadata.tables[JobRow.__tablename__]
# Where nothing runs, nobody can tell when something will.
_LONGEST_SECONDS = 60
# Of so many that the limit allows, one compiled form may wait beside what it counts.
_OWN_PART = 10


def waiting_up_to(session: Session, most: int) -> int:
    """How many jobs wait; beyond `most` it is not counted on.

    Left out are compiled forms, which the platform makes for itself, but no more of them than a tenth of `most`: so
    they keep nobody waiting, and whoever retries them cannot have the queue grow by that.
    """
    own: int = session.execute(_waiting_forms(), {"most": ceil(most / _OWN_PART)}).scalar_one()
    count: int = session.execute(_waiting(), {"most": most + own}).scalar_one()
    return count - own


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
    return _count_of(_JOBS.c.status == State.QUEUED)


@cache
def _waiting_forms() -> Select[int]:
    # Few have pool and priority of compiled forms: the index finds these, and their rows tell the kind.
    place = and_(_JOBS.c.status == State.QUEUED, _JOBS.c.pool == DEFAULT_POOL, _JOBS.c.priority == LAST_PRIORITY)
    return _count_of(and_(place, _JOBS.c.kind == Kind.COMPILE))


def _count_of(which: ColumnElement[bool]) -> Select[int]:
    some = select(literal(1)).where(which).limit(bindparam("most"))
    return select(func.count()).select_from(some.subquery())
