"""Jobs as lists and as numbers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select, tuple_
from sqlalchemy.orm import Session

from shared.clock import Instant, Now
from shared.errors import AmbiguousJob, UnknownJob
from shared.jobs.rows import PRIORITIES, JobRow
from shared.jobs.states import Kind, State

# How many jobs with the same beginning of their ids an error lists.
_MOST_LISTED = 10


def list_jobs(
    session: Session,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    status: State | None = None,
    kind: Kind | None = None,
    dataset_name: str | None = None,
    owner: str | None = None,
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
    if owner is not None:
        query = query.where(JobRow.owner == owner)
    return list(session.scalars(query))


def job_of_prefix(session: Session, prefix: str) -> UUID:
    """The one job whose id begins with these hexadecimal digits; looked up by the order of the ids.

    Raises:
        UnknownJob: when there is none.
        AmbiguousJob: when there are several.
    """
    first, last = (UUID(prefix.ljust(32, digit)) for digit in "0f")
    begin_so = JobRow.id.between(first, last)
    found = session.scalars(select(JobRow.id).where(begin_so).order_by(JobRow.id).limit(_MOST_LISTED)).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownJob(f"No id of a job begins with '{prefix}'. GET /jobs lists the jobs.")
    count = session.scalar(select(func.count()).where(begin_so))
    sentence = f"The ids of {count} jobs begin with '{prefix}'. Give more characters of the one that you mean."
    raise AmbiguousJob(sentence, available=map(str, found))


def count_by_state(session: Session) -> dict[tuple[str, State], int]:
    """How many jobs there are of each kind in each state, those of which there are none too."""
    counts = {(str(kind), state): 0 for kind in Kind for state in State}
    query = select(JobRow.kind, JobRow.status, func.count()).group_by(JobRow.kind, JobRow.status)
    for kind, state, count in session.execute(query):
        counts[kind, State(state)] = count
    return counts


def count_due_by_priority(session: Session) -> dict[int, int]:
    """How many jobs could begin now if workers were free, of each priority, also where there are none."""
    query = (
        select(JobRow.priority, func.count())
        .where(JobRow.status == State.QUEUED, JobRow.run_at <= Now())
        .group_by(JobRow.priority)
    )
    return dict.fromkeys(PRIORITIES, 0) | {row[0]: row[1] for row in session.execute(query)}


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
