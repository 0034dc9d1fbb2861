"""Jobs as clients see them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import ResponseBody
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, Kind, State


class Progress(ResponseBody):
    """How far the present attempt is."""

    percent: int = Field(ge=0, le=100)
    step: str = Field(examples=["fitting"])


class JobError(ResponseBody):
    """Why the last attempt ended without a result."""

    code: str = Field(examples=["fit_failed"])
    message: str


class Job(ResponseBody):
    """One accepted request and what has become of it."""

    job_id: UUID
    kind: Kind
    status: State
    progress: Progress
    dataset_name: str
    request: dict[str, Any] = Field(description="What the job does, with every default filled in.")
    result: dict[str, Any] | None = Field(description="What it made, once it has succeeded.")
    error: JobError | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    links: dict[str, str] = Field(examples=[{"self": "/jobs/5f0c…", "cancel": "/jobs/5f0c…/cancel"}])

    @classmethod
    def of(cls, row: JobRow) -> Self:
        """The job that a row holds."""
        return cls(
            job_id=row.id,
            kind=Kind(row.kind),
            status=State(row.status),
            progress=Progress.model_validate(row.progress),
            dataset_name=row.dataset_name,
            request=row.request,
            result=row.result,
            error=None if row.error is None else JobError.model_validate(row.error),
            attempts=row.attempt,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            links=_links(row),
        )


def _links(row: JobRow) -> dict[str, str]:
    here = f"/jobs/{row.id}"
    links = {"self": here}
    if row.status in TERMINAL:
        links["retry"] = f"{here}/retry"
    else:
        links["cancel"] = f"{here}/cancel"
    if row.result and "version" in row.result:
        links["model"] = f"/models/{row.result['version']}"
    return links
