"""Jobs as clients see them."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, Kind, State


class Progress(ResponseBody):
    """How far the present attempt is."""

    percent: int = Field(description="From 0 to 100.", ge=0, le=100)
    step: str = Field(description="What it is doing, or its state when it is not running.", examples=["fitting"])


class JobError(ResponseBody):
    """Why the last attempt ended without a result."""

    code: str = Field(description="`GET /errors/{code}` explains it.", examples=["fit_failed"])
    message: str = Field(description="What went wrong, and how to mend it.")


class Job(ResponseBody):
    """One accepted request and what has become of it."""

    job_id: UUID = Field(description="Its id.")
    kind: Kind = Field(description="What kind of work it is.")
    status: State = Field(description="What has become of it: queued and running go on, the others are ends.")
    progress: Progress = Field(description="Percent and step of the present attempt.")
    dataset_name: str = Field(description="The dataset that it works on.")
    request: dict[str, Any] = Field(description="What the job does, with every default filled in.")
    result: dict[str, Any] | None = Field(description="What it made, once it has succeeded.")
    error: JobError | None = Field(description="Why the last attempt ended without a result.")
    attempts: int = Field(description="How often a worker has begun it.")
    created_at: Moment = Field(description="When it was accepted.")
    started_at: Moment | None = Field(description="When its last attempt began.")
    finished_at: Moment | None = Field(description="When it ended.")
    links: dict[str, str] = Field(
        description="Where to go from here: the job itself, its `events` and its `logs`, `cancel` or `retry`, and the "
        "`model` that it made.",
        examples=[
            {
                "self": "/jobs/5f0c…",
                "events": "/jobs/5f0c…/events",
                "logs": "/jobs/5f0c…/logs",
                "cancel": "/jobs/5f0c…/cancel",
            }
        ],
    )

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
    links = {"self": here, "events": f"{here}/events", "logs": f"{here}/logs"}
    if row.status in TERMINAL:
        links["retry"] = f"{here}/retry"
    else:
        links["cancel"] = f"{here}/cancel"
    if row.result and "version" in row.result:
        links["model"] = f"/models/{row.result['version']}"
    return links
