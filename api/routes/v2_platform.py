"""What the Open Inference Protocol, version 2, asks of the platform as a whole."""

from fastapi import APIRouter

from api.dependencies import PartsDep, ReadSession
from api.http.errors import NotReady
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.protocols.addresses import name_of_place
from api.schemas.health import DependencyState
from api.schemas.v2 import IndexedModel, IndexRequest, ServerReady, V2Error
from shared.registry.active import active_models

router = APIRouter(tags=["Open Inference Protocol"], route_class=StrictRoute)


@router.get("/v2/health/ready", summary="Can requests be served? (V2)", responses=responses(503, model=V2Error))
async def v2_ready(parts: PartsDep) -> ServerReady:
    """Whether database and object store answer, as `GET /readyz` says it at length."""
    found = await parts.readiness.look()
    down = [name for name, part in found.items() if part.state is DependencyState.DOWN]
    if down:
        raise NotReady(f"Not ready: {', '.join(down)}. GET /readyz says what to do about it.")
    return ServerReady()


@router.post(
    "/v2/repository/index",
    summary="Which models are there? (V2)",
    responses=responses(400, 413, 415, 503, model=V2Error),
)
def v2_index(session: ReadSession, body: IndexRequest | None = None) -> list[IndexedModel]:
    """All versions that are active, each under the name and environment by which it is asked for."""
    del body
    return [
        IndexedModel(name=name_of_place(found.dataset_name, found.stage), version=str(found.version))
        for found in active_models(session)
    ]
