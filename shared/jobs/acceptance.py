"""From a checked request to a job that will not be lost, and the client's acts on it.

A 202 may be given once the transaction of `accept` is committed, not before.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import case, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.errors import IdempotencyKeyReused, JobEnded, JobErased, JobNotEnded, UnknownJob
from shared.jobs.claims import EVENT_COLUMNS, record
from shared.jobs.endings import CANCELLED
from shared.jobs.limits import NO_LIMITS, RequestedLimits
from shared.jobs.rows import MIDDLE_PRIORITY, NO_OWNER, NOT_STARTED, IdempotencyKeyRow, JobEventRow, JobRow
from shared.jobs.states import TERMINAL, Kind, State
from shared.settings import DEFAULT_POOL
from shared.upsert import insert_missing

API = "api"

_INSERT_JOB = insert(JobRow.metadata.tables[JobRow.__tablename__]).returning(JobRow.created_at, JobRow.run_at)
_INSERT_EVENT = insert(JobRow.metadata.tables[JobEventRow.__tablename__])


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's promise that all requests with this key are one request."""

    principal: str
    key: str
    fingerprint: str
    keep_hours: float


def fingerprint(kind: Kind, body: dict[str, Any]) -> str:
    """SHA-256 over the kind and the canonical JSON of the body, in hexadecimal."""
    canonical = json.dumps([kind, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def answered_before(session: Session, key: IdempotencyKey) -> JobRow | None:
    """The job that this key was answered with, if it was.

    Raises:
        IdempotencyKeyReused: when the key came with another body.
    """
    row = session.execute(
        select(IdempotencyKeyRow.job_id, IdempotencyKeyRow.fingerprint).where(
            IdempotencyKeyRow.principal == key.principal,
            IdempotencyKeyRow.key == key.key,
            IdempotencyKeyRow.expires_at > Now(),
        )
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused(
            f"The Idempotency-Key '{key.key}' was used with another body. Use a new key for a new request."
        )
    # It is not there for somebody who may not see it any more.
    return session.get(JobRow, row.job_id)


def give_key(session: Session, key: IdempotencyKey, job_id: UUID) -> JobRow | None:
    """Have a key answered with this job; if it was answered with another one before, that one, and nothing changes.

    Raises:
        IdempotencyKeyReused: when the key came with another body.
    """
    while not _take_key(session, key, job_id):
        # The key may expire between the two statements: then it can be taken.
        if (found := answered_before(session, key)) is not None:
            return found
    return None


def accept(
    session: Session,
    *,
    kind: Kind,
    request: dict[str, Any],
    dataset_name: str,
    dataset_version_id: int | None,
    priority: int = MIDDLE_PRIORITY,
    pool: str = DEFAULT_POOL,
    limits: RequestedLimits = NO_LIMITS,
    owner: str | None = None,
    key: IdempotencyKey | None = None,
    check: Callable[[Session], object] | None = None,
) -> JobRow:
    """Insert a queued job, or find the one that the same key was answered with.

    Of any number of equal requests at once, one inserts and the others find its job. A limit of None is that of the
    settings. `owner` is the user who asks for it. `check` may raise before a job is inserted.
    """
    job_id = uuid4()
    if key is not None and (found := give_key(session, key, job_id)) is not None:
        return found
    if check is not None:
        check(session)
    return _insert(
        session,
        id=job_id,
        kind=kind,
        request=request,
        dataset_name=dataset_name,
        dataset_version_id=dataset_version_id,
        priority=priority,
        pool=pool,
        owner=owner,
        time_limit_seconds=limits.seconds,
        memory_limit_mb=limits.memory_mb,
        cpu_limit=limits.cpus,
    )


def find_job(session: Session, job_id: UUID) -> JobRow:
    """The job of that id.

    Raises:
        UnknownJob: when there is none.
    """
    job = session.get(JobRow, job_id, populate_existing=True)
    if job is None:
        raise UnknownJob(f"There is no job '{job_id}'. GET /jobs lists the jobs.")
    return job


def cancel(session: Session, job_id: UUID) -> JobRow:
    """Cancel a queued job at once; ask the worker of a running one to stop.

    Raises:
        UnknownJob: when there is no such job.
        JobEnded: when it has ended.
    """
    was_queued = JobRow.status == State.QUEUED
    # One statement for both states: between two statements, a job could go from one state to the other.
    row = session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.status.in_([State.QUEUED, State.RUNNING]))
        .values(
            status=case((was_queued, State.CANCELLED.value), else_=JobRow.status),
            finished_at=case((was_queued, Now()), else_=None),
            error=case((was_queued, literal(CANCELLED.as_json(), JobRow.error.type)), else_=JobRow.error),
            cancel_requested_at=func.coalesce(JobRow.cancel_requested_at, Now()),
        )
        .returning(*EVENT_COLUMNS)
    ).one_or_none()
    if row is not None and row.status == State.CANCELLED:
        record(session, job_id, before=State.QUEUED, after=State.CANCELLED, epoch=row.epoch, actor=API)
    job = find_job(session, job_id)
    if row is None:
        raise JobEnded(f"The job has ended as '{job.status}' and cannot be cancelled any more.")
    return job


def ended_job(session: Session, job_id: UUID) -> JobRow:
    """The job of that id, which must have ended: the one that a retry repeats.

    Raises:
        UnknownJob: when there is no such job.
        JobNotEnded: when it is queued or running.
        JobErased: when what it was to do was erased.
    """
    job = find_job(session, job_id)
    if job.status not in TERMINAL:
        raise JobNotEnded(f"The job is {job.status}. Wait for its end, or cancel it with POST /jobs/{job_id}/cancel.")
    if job.erased_at is not None:
        raise JobErased("What the job was to do was erased with its data. Send a new request.")
    return job


def _insert(session: Session, **values: Any) -> JobRow:
    """Insert job and first event; the row is for reading only, the session does not know it.

    By prepared statements, as every 202 waits for this: the session's unit of work takes three times as long.
    """
    values |= {
        "status": State.QUEUED,
        "share": values["owner"] or NO_OWNER,
        "progress": NOT_STARTED,
        "epoch": 0,
        "attempt": 0,
        "crash_count": 0,
        "transient_count": 0,
    }
    moments = session.execute(_INSERT_JOB, values).mappings().one()
    event = {"job_id": values["id"], "seq": 1, "from_state": None, "to_state": State.QUEUED, "epoch": 0, "actor": API}
    session.execute(_INSERT_EVENT, event)
    return JobRow(**values, **moments)


def _take_key(session: Session, key: IdempotencyKey, job_id: UUID) -> bool:
    """Insert the key; False when it is there already. PostgreSQL waits here for an equal request in flight."""
    session.execute(
        delete(IdempotencyKeyRow).where(
            IdempotencyKeyRow.principal == key.principal,
            IdempotencyKeyRow.key == key.key,
            IdempotencyKeyRow.expires_at <= Now(),
        )
    )
    taken = session.execute(
        insert_missing(session, IdempotencyKeyRow)
        .values(
            principal=key.principal,
            key=key.key,
            fingerprint=key.fingerprint,
            job_id=job_id,
            expires_at=Now(key.keep_hours * 3600),
        )
        .returning(IdempotencyKeyRow.job_id)
    )
    return taken.one_or_none() is not None
