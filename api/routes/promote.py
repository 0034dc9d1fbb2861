"""Promotion from stage to stage."""

from fastapi import APIRouter, BackgroundTasks, Response

from api.accepting import Accepted, accept_job
from api.dependencies import IdempotencyKeyHeader, PartsDep, WriteSession
from api.json_body import StrictRoute
from api.problems import responses
from api.schemas.jobs import Job
from api.schemas.promote import PromoteRequest
from shared.jobs.states import Kind
from shared.registry.promotion import check_promotion

router = APIRouter(tags=["Promote"], route_class=StrictRoute)


@router.post(
    "/promote",
    status_code=202,
    summary="Bring a model to the next stage",
    responses=responses(404, 409, 413, 415, 422, 503),
)
def promote_model(
    *,
    body: PromoteRequest,
    parts: PartsDep,
    session: WriteSession,
    background: BackgroundTasks,
    response: Response,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Job:
    """Copy the artifact to the next stage and make the version active there; the stage before keeps serving it.

    The job's result carries `serving_version`, the highest version that is active in the target stage.
    """

    def check() -> Accepted:
        with parts.database.read() as reading:
            check_promotion(reading, **body.model_dump(), stages=parts.settings.stages)
        return Accepted(request=body.model_dump(), dataset_name=body.dataset_name, dataset_version_id=None)

    return accept_job(
        session=session,
        parts=parts,
        background=background,
        response=response,
        kind=Kind.PROMOTE,
        body=body.model_dump(),
        idempotency_key=idempotency_key,
        check=check,
    )
