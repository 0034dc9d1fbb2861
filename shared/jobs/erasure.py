"""What is left of a job when the data that it was about is erased: that it was, when, and how it ended."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.jobs.endings import Failure
from shared.jobs.rows import JobLogRow, JobRow
from shared.jobs.states import TERMINAL

ERASED = {"percent": 100, "step": "erased"}
_SENTENCE = "What was said here was erased with the data that it was about."


def lock_jobs(session: Session, jobs: ColumnElement[bool]) -> None:
    """Lock jobs until the end of the transaction, in the order that all who lock several take."""
    session.execute(select(JobRow.id).where(jobs).order_by(JobRow.id).with_for_update())


def open_jobs(session: Session, jobs: ColumnElement[bool]) -> Sequence[UUID]:
    """Those of the jobs that have not ended, the oldest first."""
    query = select(JobRow.id).where(jobs, JobRow.status.not_in(TERMINAL)).order_by(JobRow.created_at)
    return session.scalars(query).all()


def erase_jobs(session: Session, jobs: ColumnElement[bool]) -> None:
    """Empty request, result, log and messages of jobs that have ended; their rows and events stay."""
    erased = (jobs, JobRow.erased_at.is_(None))
    session.execute(delete(JobLogRow).where(JobLogRow.job_id.in_(select(JobRow.id).where(*erased))))
    code = JobRow.error["code"].as_string()
    # A code says nothing of the data.
    for each in session.scalars(select(code).where(*erased, JobRow.error.is_not(None)).distinct()).all():
        message = Failure(each, _SENTENCE).as_json()
        session.execute(update(JobRow).where(*erased, code == each).values(error=message))
    session.execute(update(JobRow).where(*erased).values(request={}, result=None, progress=ERASED, erased_at=Now()))
