"""Promotion from stage to stage."""

from fastapi import APIRouter

from api.accepting import AcceptingDep, NewJob
from api.access.callers import CallerDep, need_promotion
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.schemas.jobs import Job
from api.schemas.promote import PromoteRequest
from shared.jobs.states import Kind
from shared.registry.model_memory import check_size
from shared.registry.promotion import check_promotion

router = APIRouter(tags=["Promote"], route_class=StrictRoute)


@router.post(
    "/promote",
    status_code=202,
    summary="Bring a model to the next stage",
    responses=responses(404, 409, 410, 413, 415, 422, 503),
)
@in_lane("accepting")
def promote_model(*, body: PromoteRequest, parts: PartsDep, accepting: AcceptingDep, caller: CallerDep) -> Job:
    """Copy the artifact to the next stage and make the version active there; the stage before keeps serving it.

    The job's result carries `serving_version`, the highest version that is active in the target stage. A stage serves
    one target: what predicts another column than the version that serves there is refused, unless `replace_target`
    has the other versions retired; the result lists them in `retired_versions`.
    """
    need_promotion(caller, body.target_stage, parts.settings.stages, retires=body.replace_target)
    # What is not asked for stays out, so that a key goes on naming the request that an older release took.
    key = accepting.key(Kind.PROMOTE, body.model_dump(exclude_defaults=True) | {"priority": body.priority})
    return accepting.answered(key) or accepting.accept(_checked(body, parts), key)


def _checked(body: PromoteRequest, parts: Parts) -> NewJob:
    request = body.model_dump(exclude={"priority"}, exclude_defaults=True)
    with parts.database.read() as reading:
        promotion = check_promotion(reading, **request, stages=parts.settings.stages)
    check_size(promotion.version, promotion.served.source.seal.size_bytes, parts.settings)
    return NewJob(Kind.PROMOTE, request, body.dataset_name, dataset_version_id=None, priority=body.priority)
