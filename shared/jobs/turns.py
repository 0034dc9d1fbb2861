"""Whose turn it is: the owners of waiting jobs share the workers, however many jobs each of them has.

Of the jobs with the lowest priority that are due, one goes first whose owner has the fewest jobs running; of these, one
whose owner has waited longest since a job of theirs was last begun; of those of one owner, the oldest. Jobs without an
owner are together those of one more.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    bindparam,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from shared.clock import Instant, Now
from shared.jobs import claims
from shared.jobs.claims import JOBS, Claim
from shared.jobs.rows import NO_OWNER
from shared.jobs.shares import running_by_share
from shared.jobs.states import Kind, State
from shared.settings import DEFAULT_POOL

# Those who are that unlucky leave it to the poller.
_MOST_TRIES = 20
# When an owner was served of whom no job was ever begun.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# A kind that only a newer release knows is left to the workers of that release.
_KINDS = [str(kind) for kind in Kind]
_OTHERS = JOBS.alias("others")


class OwnersTurn(NamedTuple):
    """The job whose turn it is, and whose it is."""

    job_id: UUID
    share: str


def begin(
    session: Session,
    told: UUID,
    *,
    worker: str,
    lease_seconds: float,
    pools: Collection[str] = (DEFAULT_POOL,),
    most_running: int = 0,
    by_message: bool = True,
) -> Claim | None:
    """Claim a due job for a worker that was told of one; None when there is none that it may begin.

    Others may be faster with the one whose turn it is, and then it is that of the next.
    """
    for _ in range(_MOST_TRIES):
        job_id = job_to_begin(session, told, pools=pools, most_running=most_running, by_message=by_message)
        if job_id is None:
            return None
        tried = session.begin_nested() if most_running else None
        found = claims.claim(
            session, job_id, worker=worker, lease_seconds=lease_seconds, pools=pools, most_running=most_running
        )
        if found is not None:
            return found
        if tried is not None:
            # With it goes the lock on the share: whoever held one and waited for another could wait in a circle.
            tried.rollback()
    return None


def next_turn(session: Session, *, pools: Collection[str], most_running: int = 0) -> OwnersTurn | None:
    """The due job of the pools that goes first, None where none may begin.

    With `most_running`, jobs of owners that have so many running are left out.
    """
    bound = {"most_running": most_running} | {f"pool_{number}": pool for number, pool in enumerate(pools)}
    row = session.execute(_next(len(pools), capped=most_running > 0), bound).one_or_none()
    return None if row is None else OwnersTurn(*row)


def job_to_begin(
    session: Session, told: UUID, *, pools: Collection[str], most_running: int = 0, by_message: bool = True
) -> UUID | None:
    """The job to claim for a worker that was told of one: that one, unless it is the turn of another owner.

    A message says that there is something to do, also if its own job has begun with that of another: so each of as many
    messages as jobs has one of them begin. Who looks by itself looks again, and leaves others to their messages.
    """
    turn = next_turn(session, pools=pools, most_running=most_running)
    share = session.execute(_if_due(), {"told_job": told, "its_pools": list(pools)}).scalar_one_or_none()
    if turn is None or (share is None and not by_message):
        return None
    return told if share == turn.share else turn.job_id


@cache
def _if_due() -> Select[str]:
    due = (JOBS.c.status == State.QUEUED) & (JOBS.c.run_at <= Now()) & JOBS.c.kind.in_(_KINDS)
    taken = JOBS.c.pool.in_(bindparam("its_pools", expanding=True))
    return select(JOBS.c.share).where(JOBS.c.id == bindparam("told_job"), due, taken)


@cache
def _next(pool_count: int, *, capped: bool) -> Select[UUID, str]:
    """Looks at the first job of each owner in each pool, and at no other: any number of jobs may wait."""
    running = running_by_share().subquery("running")
    count = func.coalesce(running.c.running_jobs, 0)
    last = select(func.max(_OTHERS.c.claimed_at)).where(_OTHERS.c.share == JOBS.c.share).scalar_subquery()
    owners, pools = _waiting_owners(), _given_pools(pool_count)
    query = (
        select(JOBS.c.id, JOBS.c.share)
        .select_from(owners.join(pools, true()).join(JOBS, JOBS.c.id == _first(owners.c.share, pools.c.pool)))
        .outerjoin(running, running.c.share == JOBS.c.share)
        .order_by(JOBS.c.priority, count, func.coalesce(last, literal(NEVER, Instant())), JOBS.c.run_at, JOBS.c.id)
        .limit(1)
    )
    return query.where((count < bindparam("most_running")) | (JOBS.c.share == NO_OWNER)) if capped else query


def _waiting_owners() -> CTE:
    """Whose jobs wait, by one look into the index for each; behind the last there is null."""
    least = select(func.min(_OTHERS.c.share).label("share")).where(_OTHERS.c.status == State.QUEUED)
    owners = least.cte("owners", recursive=True)
    following = least.where(_OTHERS.c.share > owners.c.share).correlate(owners).scalar_subquery()
    return owners.union_all(select(following).where(owners.c.share.is_not(None)))


def _given_pools(count: int) -> CTE:
    each = [select(bindparam(f"pool_{number}", type_=String()).label("pool")) for number in range(count)]
    return union_all(*each).cte("pools")


def _first(share: ColumnElement[str], pool: ColumnElement[str]) -> ScalarSelect[UUID]:
    due = (_OTHERS.c.run_at <= Now()) & _OTHERS.c.kind.in_(_KINDS)
    query = select(_OTHERS.c.id).where(_OTHERS.c.status == State.QUEUED, due)
    query = query.where(_OTHERS.c.share == share, _OTHERS.c.pool == pool)
    return query.order_by(_OTHERS.c.priority, _OTHERS.c.run_at).limit(1).scalar_subquery()
