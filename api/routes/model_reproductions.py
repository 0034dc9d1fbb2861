"""Training a model once more, to compare."""

from fastapi import APIRouter

from api.accepting import AcceptingDep, NewJob
from api.dependencies import PartsDep
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.routes.models import Version
from api.schemas.jobs import Job
from shared.errors import NotReproducible
from shared.jobs.states import Kind
from shared.object_store import ObjectMissing
from shared.registry.reproductions import plan_reproduction

router = APIRouter(tags=["Models"])


@router.post(
    "/models/{version}/reproduce",
    status_code=202,
    summary="Train a model once more, to compare",
    operation_id="reproduce_model",
    responses=responses(404, 409, 410, 422, 503),
)
@in_lane("accepting")
def reproduce_model(*, version: Version, parts: PartsDep, accepting: AcceptingDep) -> Job:
    """Train by the pinned request on the pinned version of the dataset, and compare; no version is registered.

    The `result` of the job says whether the new model is `equal`: each of the `metrics` then and now, and for how many
    of the `rows` that were kept with the model the answer is another one. `libraries` are those that are others now.
    `pin` of `GET /models/{version}/report` is what it is trained by.
    """
    key = accepting.key(Kind.REPRODUCE, {"version": version})
    return accepting.answered(key) or accepting.accept(_checked(version, parts), key)


def _checked(version: int, parts: Parts) -> NewJob:
    with parts.database.read() as session:
        plan = plan_reproduction(session, version)
        source = plan.pinned.source
        name, place = plan.model.dataset_name, (parts.settings.datasets_bucket, source.object_key)
    try:
        parts.store.stat(*place)
    except ObjectMissing:
        raise NotReproducible(
            f"The file of version {source.number} of dataset '{name}' is gone, on which version {version} was trained. "
            "Restore it from a backup, or train a new version with POST /train."
        ) from None
    request = {"dataset_name": name, "version": version}
    return NewJob(Kind.REPRODUCE, request, name, source.id, pool=plan.pinned.pool, limits=plan.pinned.limits)
