"""How far the history of each job has come, for those who follow it; one query for any number of jobs."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.jobs.rows import JobEventRow, JobLogRow, JobRow
from shared.jobs.states import TERMINAL, State

_EVENT_SEQ = (
    select(func.coalesce(func.max(JobEventRow.seq), 0)).where(JobEventRow.job_id == JobRow.id).scalar_subquery()
)
_LOG_SEQ = select(func.coalesce(func.max(JobLogRow.seq), 0)).where(JobLogRow.job_id == JobRow.id).scalar_subquery()
_COLUMNS = (JobRow.id, JobRow.status, JobRow.progress, _EVENT_SEQ.label("event_seq"), _LOG_SEQ.label("log_seq"))


class Mark(NamedTuple):
    """The last transition and the last line of a job, with where it stood then."""

    event_seq: int
    log_seq: int
    status: State
    progress: dict[str, Any]

    @property
    def is_end(self) -> bool:
        """Whether nothing follows any more."""
        return self.status in TERMINAL


def marks(session: Session, job_ids: Collection[UUID]) -> dict[UUID, Mark]:
    """Where each of the jobs is; jobs that do not exist are left out."""
    return {row.id: _mark(row) for row in session.execute(select(*_COLUMNS).where(JobRow.id.in_(job_ids)))}


def marked_jobs(session: Session, job_ids: Collection[UUID]) -> dict[UUID, tuple[JobRow, Mark]]:
    """The jobs with their marks, of one moment: one statement sees both."""
    query = select(JobRow, *_COLUMNS).where(JobRow.id.in_(job_ids))
    return {row.id: (row.JobRow, _mark(row)) for row in session.execute(query)}


def _mark(row: Any) -> Mark:
    return Mark(row.event_seq, row.log_seq, State(row.status), row.progress)
