"""Jobs as lists and as numbers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select, tuple_
from sqlalchemy.orm import Session

from shared.clock import Instant, Now
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State


def list_jobs(
    session: Session,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    status: State | None = None,
    kind: Kind | None = None,
    dataset_name: str | None = None,
) -> list[JobRow]:
    """The newest jobs first; `after` is the moment and the id of the job behind which the list goes on."""
    query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
    if after is not None:
        moment, job_id = literal(after[0], Instant()), literal(after[1], Uuid())
        query = query.where(tuple_(JobRow.created_at, JobRow.id) < tuple_(moment, job_id))
    if status is not None:
        query = query.where(JobRow.status == status)
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    if dataset_name is not None:
        query = query.where(JobRow.dataset_name == dataset_name)
    return list(session.scalars(query))


def count_by_state(session: Session) -> dict[tuple[Kind, State], int]:
    """How many jobs there are of each kind in each state, those of which there are none too."""
    counts = {(kind, state): 0 for kind in Kind for state in State}
    query = select(JobRow.kind, JobRow.status, func.count()).group_by(JobRow.kind, JobRow.status)
    for kind, state, count in session.execute(query):
        counts[Kind(kind), State(state)] = count
    return counts


def oldest_due_seconds(session: Session) -> float:
    """For how long the job that has been due for the longest time has waited; 0 when none is due."""
    query = (
        select(JobRow.run_at, Now().label("now"))
        .where(JobRow.status == State.QUEUED, JobRow.run_at <= Now())
        .order_by(JobRow.run_at)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return 0.0 if row is None else (row.now - row.run_at).total_seconds()
