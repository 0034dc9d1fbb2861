"""The life of a claimed job: claim, beat, commit.

Each step is one guarded UPDATE in the caller's transaction. The guard is the attempt's epoch: every claim and every
rescue raises it, so whoever lost the lease finds no row and writes nothing. Zero rows is an answer, not an error.
The other ways in which an attempt ends are in `endings`, what happens to abandoned ones in `rescue`.

Statements that every job needs are built once, by functions that keep what they return: to build one takes longer than
to run it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, Float, Integer, and_, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.limits import NO_LIMITS, RequestedLimits
from shared.jobs.rows import NO_OWNER, JobEventRow, JobRow
from shared.jobs.shares import lock_share, may_run_more
from shared.jobs.states import Kind, State
from shared.settings import DEFAULT_POOL

# Statements on tables, not on classes: the session's work for objects would take most of the time.
JOBS = JobRow.metadata.tables[JobRow.__tablename__]
_EVENTS = JobRow.metadata.tables[JobEventRow.__tablename__]

_LAST_SEQ = select(func.coalesce(func.max(_EVENTS.c.seq), 0)).where(_EVENTS.c.job_id == bindparam("of_job"))
_RECORD = insert(_EVENTS).values(seq=_LAST_SEQ.scalar_subquery() + 1, at=Now())

EVENT_COLUMNS = (JOBS.c.id, JOBS.c.status, JOBS.c.epoch, JOBS.c.lease_until)
_CLAIM_COLUMNS = (
    JOBS.c.kind,
    JOBS.c.request,
    JOBS.c.dataset_name,
    JOBS.c.dataset_version_id,
    JOBS.c.transient_count,
    JOBS.c.attempt,
    JOBS.c.time_limit_seconds,
    JOBS.c.memory_limit_mb,
    JOBS.c.cpu_limit,
)


class Fenced(Exception):
    """Another attempt, a rescue or a cancellation has taken the job; whatever this attempt made is void."""


@dataclass(frozen=True)
class Claim:
    """The right of one attempt to end its job, valid while `epoch` is the job's epoch."""

    job_id: UUID
    epoch: int
    worker: str
    kind: Kind
    request: dict[str, Any]
    dataset_name: str
    dataset_version_id: int | None
    transient_count: int = 0
    attempt: int = 1
    limits: RequestedLimits = NO_LIMITS


def claim(
    session: Session,
    job_id: UUID,
    *,
    worker: str,
    lease_seconds: float,
    pools: Collection[str] = (DEFAULT_POOL,),
    most_running: int = 0,
) -> Claim | None:
    """Take a due job for `worker`; None when it is not due, somebody else has it, or it is of none of the pools.

    With `most_running`, also when its owner has so many jobs running.
    """
    if most_running:
        lock_share(session, session.execute(select(JOBS.c.share).where(JOBS.c.id == job_id)).scalar() or NO_OWNER)
    bound = {"free_job": job_id, "its_worker": worker, "lease_seconds": lease_seconds, "its_pools": list(pools)}
    bound |= {"most_running": most_running} if most_running else {}
    row = session.execute(_claim(capped=most_running > 0), bound).one_or_none()
    if row is None:
        return None
    moved = {"before": State.QUEUED, "after": State.RUNNING, "epoch": row.epoch}
    record(session, row.id, **moved, actor=worker, lease_until=row.lease_until)
    return Claim(
        job_id=row.id,
        epoch=row.epoch,
        worker=worker,
        kind=Kind(row.kind),
        request=row.request,
        dataset_name=row.dataset_name,
        dataset_version_id=row.dataset_version_id,
        transient_count=row.transient_count,
        attempt=row.attempt,
        limits=RequestedLimits(row.time_limit_seconds, row.memory_limit_mb, row.cpu_limit),
    )


def beat(session: Session, claim: Claim, *, lease_seconds: float) -> bool:
    """Renew the lease; False when the attempt no longer owns the job and must stop."""
    renewed = session.execute(
        update(JOBS).where(still_claimed()).values(lease_until=Now(lease_seconds)).returning(JOBS.c.id),
        bind_claim(claim),
    )
    return renewed.one_or_none() is not None


def cancel_requested(session: Session, claim: Claim) -> bool:
    """Whether the owner of the job asked this attempt to stop.

    Raises:
        Fenced: when the attempt no longer owns the job.
    """
    row = session.execute(select(JOBS.c.cancel_requested_at).where(still_claimed()), bind_claim(claim)).one_or_none()
    if row is None:
        raise Fenced
    return row.cancel_requested_at is not None


def report_progress(session: Session, claim: Claim, *, percent: int, step: str, estimated: bool = False) -> None:
    """Show how far the attempt is, and whether that is a guess; a lost attempt shows nothing."""
    progress = {"percent": percent, "step": step} | ({"estimated": True} if estimated else {})
    session.execute(update(JOBS).where(still_claimed()).values(progress=progress), bind_claim(claim))


def succeed(session: Session, claim: Claim) -> None:
    """Commit point of the attempt; the caller adds the job's effect and `put_outcome` to the same transaction.

    Raises:
        Fenced: when the attempt lost the job or a cancel was requested. The caller rolls back.
    """
    row = session.execute(_succeed(), bind_claim(claim)).one_or_none()
    if row is None:
        raise Fenced
    record(session, row.id, before=State.RUNNING, after=State.SUCCEEDED, epoch=row.epoch, actor=claim.worker)


def put_outcome(session: Session, claim: Claim, **outcome: dict[str, Any]) -> None:
    """Store the `usage`, and the `result` of a success, in the transaction that has just ended the attempt."""
    bound = {f"its_{column}": value for column, value in outcome.items()}
    session.execute(_put(*outcome), bind_claim(claim) | bound)


def record(
    session: Session,
    job_id: UUID,
    *,
    before: State | None,
    after: State,
    epoch: int,
    actor: str,
    lease_until: datetime | None = None,
) -> None:
    """Add one transition to the job's history; the caller's UPDATE holds the job's row."""
    session.execute(
        _RECORD,
        {
            "job_id": job_id,
            "of_job": job_id,
            "from_state": before,
            "to_state": after,
            "epoch": epoch,
            "actor": actor,
            "lease_until": lease_until,
        },
    )


@cache
def still_claimed() -> ColumnElement[bool]:
    """The guard of every write of an attempt, bound by `bind_claim`: the job is running, and under this very epoch."""
    return and_(_my_attempt(), JOBS.c.status == State.RUNNING)


def bind_claim(claim: Claim) -> dict[str, Any]:
    """What binds `still_claimed` to an attempt."""
    return {"my_job": claim.job_id, "my_epoch": claim.epoch}


def _my_attempt() -> ColumnElement[bool]:
    return and_(JOBS.c.id == bindparam("my_job"), JOBS.c.epoch == bindparam("my_epoch"))


def _free() -> ColumnElement[bool]:
    """The guard of a claim: the job may run now, nobody has it, and it is for this worker, however that heard of it."""
    return and_(
        JOBS.c.id == bindparam("free_job"),
        JOBS.c.status == State.QUEUED,
        JOBS.c.run_at <= Now(),
        JOBS.c.cancel_requested_at.is_(None),
        JOBS.c.pool.in_(bindparam("its_pools", expanding=True)),
    )


@cache
def _claim(*, capped: bool = False) -> Executable:
    guard = and_(_free(), may_run_more(bindparam("most_running", type_=Integer()))) if capped else _free()
    return (
        update(JOBS)
        .where(guard)
        .values(
            status=State.RUNNING,
            epoch=JOBS.c.epoch + 1,
            attempt=JOBS.c.attempt + 1,
            lease_until=Now(bindparam("lease_seconds", type_=Float())),
            worker=bindparam("its_worker"),
            started_at=func.coalesce(JOBS.c.started_at, Now()),
            claimed_at=Now(),
            progress={"percent": 0, "step": "reading"},
        )
        .returning(*EVENT_COLUMNS, *_CLAIM_COLUMNS)
    )


@cache
def _succeed() -> Executable:
    return (
        update(JOBS)
        .where(still_claimed(), JOBS.c.cancel_requested_at.is_(None))
        .values(
            status=State.SUCCEEDED,
            error=None,
            lease_until=None,
            finished_at=Now(),
            progress={"percent": 100, "step": "done"},
        )
        .returning(*EVENT_COLUMNS)
    )


@cache
def _put(*columns: str) -> Executable:
    ended = JOBS.c.status == State.SUCCEEDED if "result" in columns else JOBS.c.status != State.RUNNING
    return update(JOBS).where(_my_attempt(), ended).values({column: bindparam(f"its_{column}") for column in columns})
