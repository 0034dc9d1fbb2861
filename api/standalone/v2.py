"""What the Open Inference Protocol, version 2, asks of a server as a whole, for a server of one model."""

from fastapi import APIRouter

from api.dependencies import PredictingPartsDep
from api.http.json_body import StrictRoute
from api.protocols.addresses import name_of_place
from api.schemas.v2 import IndexedModel, IndexRequest, ServerReady
from api.standalone.scoring import PlaceOfModel

router = APIRouter(route_class=StrictRoute)


@router.get("/v2/health/ready")
async def v2_ready_alone() -> ServerReady:
    """Always ready: the model is in memory before the server answers anything."""
    return ServerReady()


@router.post("/v2/repository/index")
async def v2_index_alone(
    parts: PredictingPartsDep, place: PlaceOfModel, body: IndexRequest | None = None
) -> list[IndexedModel]:
    """The one model, under the name to ask for."""
    del body
    name = name_of_place(place.dataset_name, place.environment)
    return [IndexedModel(name=name, version=str(version)) for version in parts.active_versions(place)]
