"""Health, metadata and models by the Open Inference Protocol, version 2."""

from importlib.metadata import version as release
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query

from api.dependencies import PartsDep, ReadSession
from api.http.errors import NotFound, NotReady
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lifespan import Parts
from api.protocols.addresses import name_of_place, place_of
from api.protocols.v2.metadata import how_to_send, input_tensors, output_tensors
from api.schemas.base import WrittenVersion, read_version
from api.schemas.health import DependencyState
from api.schemas.v2 import (
    IndexedModel,
    IndexRequest,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    V2Error,
)
from shared.errors import DatabaseFailure
from shared.prediction.loaded import ServingPlace
from shared.registry.active import active_models

ModelName = Annotated[str, Path(description="The dataset, and the stage if it is not production: `iris@staging`.")]
EnvironmentQuery = Annotated[
    str | None, Query(description="The stage in which the model is active; `production` by default.")
]
TargetQuery = Annotated[
    str | None, Query(description="The column to predict, where versions of several targets are active.")
]
VersionInPath = Annotated[WrittenVersion, Path(description="The version: a whole number.")]

_MODEL_ERRORS = responses(404, 409, 422, 503, model=V2Error)

router = APIRouter(tags=["Open Inference Protocol"], route_class=StrictRoute)


@router.get("/v2", summary="What serves here? (V2)")
async def v2_server() -> ServerMetadata:
    """The server with its release and the extensions of the protocol that it has."""
    name = "ml-mini-platform"
    return ServerMetadata(name=name, version=release(name), extensions=["binary_tensor_data"])


@router.get("/v2/health/live", summary="Is the process up? (V2)")
async def v2_live() -> ServerLive:
    """Answers as long as the process does."""
    return ServerLive()


@router.get("/v2/health/ready", summary="Can requests be served? (V2)", responses=responses(503, model=V2Error))
async def v2_ready(parts: PartsDep) -> ServerReady:
    """Whether database and object store answer, as `GET /readyz` says it at length."""
    found = await parts.readiness.look()
    down = [name for name, part in found.items() if part.state is DependencyState.DOWN]
    if down:
        raise NotReady(f"Not ready: {', '.join(down)}. GET /readyz says what to do about it.")
    return ServerReady()


@router.get("/v2/models/{model}", summary="What does a model take and give? (V2)", responses=_MODEL_ERRORS)
async def v2_model(
    model: ModelName, parts: PartsDep, environment: EnvironmentQuery = None, target: TargetQuery = None
) -> ModelMetadata:
    """The columns that the highest active version takes, with their types, and its outputs."""
    return await _described(parts, model, place_of(model, environment, target), None)


@router.get(
    "/v2/models/{model}/versions/{version}",
    summary="What does one version take and give? (V2)",
    responses=_MODEL_ERRORS,
)
async def v2_model_version(
    model: ModelName,
    version: VersionInPath,
    parts: PartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> ModelMetadata:
    """The same of one active version."""
    return await _described(parts, model, place_of(model, environment, target), written_version(version))


@router.get("/v2/models/{model}/ready", summary="Does a model answer? (V2)", responses=_MODEL_ERRORS)
async def v2_model_ready(
    model: ModelName, parts: PartsDep, environment: EnvironmentQuery = None, target: TargetQuery = None
) -> ModelReady:
    """Loads the highest active version, if it is not in memory yet."""
    await parts.predicting.find(place_of(model, environment, target), None)
    return ModelReady(name=model)


@router.get(
    "/v2/models/{model}/versions/{version}/ready",
    summary="Does one version answer? (V2)",
    responses=_MODEL_ERRORS,
)
async def v2_model_version_ready(
    model: ModelName,
    version: VersionInPath,
    parts: PartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> ModelReady:
    """The same for one active version."""
    await parts.predicting.find(place_of(model, environment, target), written_version(version))
    return ModelReady(name=model)


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


def written_version(text: str) -> int:
    """The version of an address.

    Raises:
        NotFound: when it is none.
    """
    version = read_version(text)
    if version is None:
        raise NotFound(f"There is no version '{text}'. Versions are whole numbers from 1.")
    return version


async def _described(parts: Parts, model: str, place: ServingPlace, version: int | None) -> ModelMetadata:
    predictor = await parts.predicting.find(place, version)
    versions = await to_thread.run_sync(_active_versions, parts, place)
    signature = predictor.signature
    return ModelMetadata(
        name=model,
        versions=list(map(str, versions or [predictor.version])),
        platform="sklearn",
        inputs=input_tensors(predictor),
        outputs=output_tensors(predictor),
        parameters={
            "environment": place.environment,
            "version": str(predictor.version),
            "target": signature.target,
            "task": signature.task,
            "one_tensor": how_to_send(predictor),
        },
    )


def _active_versions(parts: Parts, place: ServingPlace) -> list[int]:
    """The versions to ask for; none while the database is away, for what is in memory serves on."""
    try:
        with parts.database.read() as session:
            found = active_models(session, dataset_name=place.dataset_name, stage=place.environment)
    except DatabaseFailure:
        return []
    return [model.version for model in found]
