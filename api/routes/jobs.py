"""Jobs: list, show, wait, cancel, retry."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from api.accepting import AcceptingDep, NewJob, promise
from api.access.callers import CallerDep, need_job, sight_by_now
from api.dependencies import PartsDep, ReadSession, WriteSession
from api.http.pagination import Page, PageQuery, PageQueryDep, make_page
from api.http.problems import responses
from api.lanes import in_lane
from api.pages.frame import WantsPage
from api.pages.jobs import page_of_job, page_of_jobs
from api.parts import Parts
from api.schemas.jobs import Job
from shared.accounts.sight import current_sight, seeing
from shared.audit.actions import Action
from shared.datasets.catalog import check_name
from shared.errors import InvalidCursor, InvalidRequest, UnknownDatasetVersion, UnknownJob
from shared.jobs.acceptance import cancel, ended_job, find_job
from shared.jobs.limits import requested_limits
from shared.jobs.listing import job_of_prefix, list_jobs
from shared.jobs.places import places_in_queue
from shared.jobs.states import Kind, State

router = APIRouter(tags=["Jobs"])

# With fewer digits, many would begin alike.
_PREFIX = re.compile("[0-9a-f]{8,31}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def job_id_of(
    parts: PartsDep,
    job_id: Annotated[
        str, Path(description="The `job_id` that a 202 answered, or its beginning: at least 8 characters.")
    ],
) -> UUID:
    """The id in the path, which may be shortened.

    Raises:
        UnknownJob: when no job can be meant.
        AmbiguousJob: when several begin like this.
    """
    try:
        return UUID(job_id)
    except ValueError:
        prefix = job_id.replace("-", "").lower()
    if _PREFIX.fullmatch(prefix):
        with parts.database.read() as session:
            return job_of_prefix(session, prefix)
    raise UnknownJob(f"There is no job '{job_id}'. GET /jobs lists the jobs; an id has 8 characters at least.")


JobId = Annotated[UUID, Depends(job_id_of)]


@router.get(
    "/jobs/{job_id}",
    response_model=Job,
    summary="Get a job, or wait for its end",
    responses=responses(404, 409, 422, 503),
)
async def get_job(
    *,
    job_id: JobId,
    request: Request,
    parts: PartsDep,
    wants_page: WantsPage,
    wait: Annotated[float, Query(ge=0, le=60, description="Answer when the job ends, or after so many seconds.")] = 0,
) -> Job | HTMLResponse:
    """The job as it is now; as a page for browsers.

    With `wait`, the answer comes as soon as the job ends, at the latest after that time. Once this has told that a job
    succeeded, `POST /predict` knows the model that it made or promoted.
    """
    sight = current_sight()
    if wait:
        # Whoever may not see it is told so at once: to wait would tell that there is one, and when it ends.
        await run_in_threadpool(_expect, parts, job_id)
        await parts.jobs_watch.wait_for_end(job_id, seconds=wait, request=request)
        sight = await sight_by_now(request.scope, f"look at the job {job_id}")
    with seeing(sight):
        job = await run_in_threadpool(_look, parts, job_id)
    if job.status == State.SUCCEEDED:
        await parts.freshness.before_telling(job_id)
    return page_of_job(job) if wants_page else job


@router.get(
    "/jobs", response_model=Page[Job], summary="List jobs", operation_id="list_jobs", responses=responses(404, 422, 503)
)
def list_all_jobs(
    *,
    parts: PartsDep,
    session: ReadSession,
    page: PageQueryDep,
    wants_page: WantsPage,
    status: Annotated[State | None, Query(description="Only the jobs in this state.")] = None,
    kind: Annotated[Kind | None, Query(description="Only the jobs of this kind.")] = None,
    dataset_name: Annotated[str | None, Query(description="Only the jobs on this dataset.")] = None,
    owner: Annotated[str | None, Query(description="Only the jobs that this user asked for.", max_length=64)] = None,
) -> Page[Job] | HTMLResponse:
    """Jobs, the newest first; as a page for browsers.

    Where a queued one stands is in the answer of `GET /jobs/{id}` alone.
    """
    position = _position(page)
    rows = list_jobs(
        session,
        limit=page.limit + 1,
        after=position,
        status=status,
        kind=kind,
        dataset_name=dataset_name,
        owner=owner,
    )
    if not rows and position is None and dataset_name is not None:
        check_name(session, dataset_name)
    jobs = make_page(
        rows,
        page,
        item=lambda row: Job.from_row(row, parts.settings),
        position=lambda row: [_microseconds(row.created_at), row.id.hex],
    )
    if wants_page:
        return page_of_jobs(jobs, {"status": status, "kind": kind, "dataset_name": dataset_name, "owner": owner})
    return jobs


@router.post("/jobs/{job_id}/cancel", status_code=202, summary="Cancel a job", responses=responses(404, 409, 422, 503))
def cancel_job(job_id: JobId, parts: PartsDep, session: WriteSession, caller: CallerDep, response: Response) -> Job:
    """Cancel a queued job at once; a running one is stopped within moments and never succeeds any more."""
    need_job(caller, find_job(session, job_id), parts.settings.stages)
    job = cancel(session, job_id)
    caller.note(session, Action.JOB_CANCELLED, f"job {job_id}", after={"status": job.status})
    return promise(job, response, parts.settings)


@router.post(
    "/jobs/{job_id}/retry", status_code=202, summary="Run a job again", responses=responses(404, 409, 422, 503)
)
@in_lane("accepting")
def retry_job(*, job_id: JobId, parts: PartsDep, accepting: AcceptingDep, caller: CallerDep) -> Job:
    """Make a new job with the request, the priority and the limits of one that has ended."""
    with parts.database.read() as session:
        job = find_job(session, job_id)
        need_job(caller, job, parts.settings.stages)
        kind = _known(job.kind)
    key = accepting.key(kind, {"retry": str(job_id)})
    return accepting.answered(key) or accepting.accept(_same_again(parts, job_id, kind), key)


def _expect(parts: Parts, job_id: UUID) -> None:
    with parts.database.read() as session:
        find_job(session, job_id)


def _look(parts: Parts, job_id: UUID) -> Job:
    with parts.database.read() as session:
        row = find_job(session, job_id)
        queued = row.status == State.QUEUED
        place = places_in_queue(session, [job_id]).get(job_id) if queued else None
        return Job.from_row(row, parts.settings, place=place)


def _known(kind: str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise InvalidRequest(
            f"This release does not know jobs of the kind '{kind}'. Retry it with the release that accepted it."
        ) from None


def _same_again(parts: Parts, job_id: UUID, kind: Kind) -> NewJob:
    with parts.database.read() as session:
        job = ended_job(session, job_id)
    if job.kind != Kind.PROMOTE and job.dataset_version_id is None:
        raise UnknownDatasetVersion("The version of the dataset that the job used was deleted. Take another one.")
    return NewJob(
        kind,
        job.request,
        job.dataset_name,
        job.dataset_version_id,
        priority=job.priority,
        pool=job.pool,
        limits=requested_limits(job),
    )


def _position(page: PageQuery) -> tuple[datetime, UUID] | None:
    position = page.position(int, str)
    if position is None:
        return None
    microseconds, job_id = position
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds)), UUID(str(job_id))
    except (ValueError, OverflowError):
        raise InvalidCursor from None


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
