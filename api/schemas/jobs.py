"""Jobs as clients see them."""

from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from api.schemas.queue import JobLimits, Pool, QueuePlace
from shared.jobs.limits import limits_of_job
from shared.jobs.places import Place
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, Kind, State
from shared.settings import DEFAULT_POOL, Settings

_KINDS = ", ".join(f"`{kind}`" for kind in Kind)


class Progress(ResponseBody):
    """How far the present attempt is."""

    percent: int = Field(description="From 0 to 100.", ge=0, le=100)
    step: str = Field(description="What it is doing, or its state when it is not running.", examples=["fitting"])
    estimated: bool = Field(
        default=False, description="Whether the percentage is a guess, from what earlier jobs of the same kind took."
    )


class Usage(ResponseBody):
    """What an attempt used."""

    peak_memory_mb: float | None = Field(
        description="The most MiB that its computation had in memory at one time, some 200 for the libraries among "
        "them. Null where nothing was computed, or nobody saw its end."
    )
    cpu_seconds: float | None = Field(description="The processor time of its computation, of all threads together.")
    wall_seconds: float = Field(description="The seconds from its beginning to its end.")
    cpus: int | None = Field(default=None, description="How many cores its computation might use; null without one.")


class JobError(ResponseBody):
    """Why the last attempt ended without a result."""

    code: str = Field(description="`GET /errors/{code}` explains it.", examples=["fit_failed"])
    message: str = Field(description="What went wrong, and how to fix it.")


class Job(ResponseBody):
    """One accepted request and what has become of it."""

    job_id: UUID = Field(description="Its id.")
    # Not the enumeration: after a step back to this release there may be jobs of kinds that only a newer one knows.
    kind: str = Field(description=f"What kind of work it is, of {_KINDS}.", examples=[Kind.TRAIN])
    status: State = Field(description="What has become of it: queued and running go on, the others are ends.")
    progress: Progress = Field(description="Percent and step of the present attempt.")
    dataset_name: str = Field(description="The dataset that it works on.")
    priority: int = Field(description="0 to 9; of the jobs that wait, those with the lowest number go first.")
    pool: Pool = DEFAULT_POOL
    owner: str | None = Field(
        default=None,
        exclude_if=lambda owner: owner is None,
        description="Who asked for it; left out for the platform's own, and while there were no accounts.",
    )
    queue: QueuePlace | None = Field(
        description="Where it stands while it is queued; only in the answer of `GET /jobs/{id}` and in its events."
    )
    limits: JobLimits | None = Field(description="What its computation may use; null for a kind without one.")
    request: dict[str, Any] = Field(description="What the job does, with every default filled in.")
    result: dict[str, Any] | None = Field(description="What it made, once it has succeeded.")
    error: JobError | None = Field(description="Why the last attempt ended without a result.")
    attempts: int = Field(description="How often a worker has begun it.")
    usage: Usage | None = Field(description="What its last attempt used, once that has ended and if it is known.")
    created_at: Moment = Field(description="When it was accepted.")
    started_at: Moment | None = Field(description="When its first attempt began.")
    finished_at: Moment | None = Field(description="When it ended.")
    erased_at: Moment | None = Field(
        description="When the data that it was about was erased, and its request, result and log with it."
    )
    warnings: list[str] = Field(
        default=[],
        exclude_if=lambda warnings: not warnings,
        description="What is worth saying of it as it is accepted, and does not stop it; only in that answer.",
    )
    links: dict[str, str] = Field(
        description="Where to go from here: the job itself, its `events` and its `logs`, `cancel` or `retry`, the "
        "`model` that it made or asked, and the `output` of a batch prediction.",
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
    def from_row(
        cls, row: JobRow, settings: Settings, *, place: Place | None = None, warnings: Sequence[str] = ()
    ) -> Self:
        """The job that a row holds, with its place in the queue where that was looked up."""
        computes = row.kind in set(Kind) - {Kind.PROMOTE}
        return cls(
            job_id=row.id,
            kind=row.kind,
            status=State(row.status),
            progress=Progress.model_validate(row.progress),
            dataset_name=row.dataset_name,
            priority=row.priority,
            pool=row.pool,
            owner=row.owner,
            queue=None if place is None else QueuePlace.model_validate(place),
            limits=JobLimits.model_validate(limits_of_job(row, settings)) if computes else None,
            request=row.request,
            result=row.result,
            error=None if row.error is None else JobError.model_validate(row.error),
            attempts=row.attempt,
            usage=None if row.usage is None else Usage.model_validate(row.usage),
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            erased_at=row.erased_at,
            warnings=list(warnings),
            links=_links(row),
        )


def _links(row: JobRow) -> dict[str, str]:
    here = f"/jobs/{row.id}"
    links = {"self": here, "events": f"{here}/events", "logs": f"{here}/logs"}
    if row.erased_at is not None:
        return links
    if row.status in TERMINAL:
        links["retry"] = f"{here}/retry"
    else:
        links["cancel"] = f"{here}/cancel"
    if row.result and "version" in row.result:
        links["model"] = f"/models/{row.result['version']}"
    if row.kind == Kind.PREDICT and row.status == State.SUCCEEDED:
        links["output"] = f"{here}/output"
    return links
