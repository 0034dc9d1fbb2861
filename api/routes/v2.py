"""The server and its models by the Open Inference Protocol, version 2."""

from importlib.metadata import version as release
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query

from api.dependencies import PredictingParts, PredictingPartsDep
from api.http.errors import NotFound
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.protocols.addresses import place_of
from api.protocols.v2.metadata import how_to_send, input_tensors, output_tensors
from api.schemas.base import WrittenVersion, read_version
from api.schemas.v2 import ModelMetadata, ModelReady, ServerLive, ServerMetadata, V2Error
from shared.prediction.loaded import ServingPlace

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


@router.get("/v2/models/{model}", summary="What does a model take and give? (V2)", responses=_MODEL_ERRORS)
async def v2_model(
    model: ModelName, parts: PredictingPartsDep, environment: EnvironmentQuery = None, target: TargetQuery = None
) -> ModelMetadata:
    """The columns that the highest active version takes, with their types, and its outputs."""
    return await described(parts, model, place_of(model, environment, target), None)


@router.get(
    "/v2/models/{model}/versions/{version}",
    summary="What does one version take and give? (V2)",
    responses=_MODEL_ERRORS,
)
async def v2_model_version(
    model: ModelName,
    version: VersionInPath,
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> ModelMetadata:
    """The same of one active version."""
    return await described(parts, model, place_of(model, environment, target), written_version(version))


@router.get("/v2/models/{model}/ready", summary="Does a model answer? (V2)", responses=_MODEL_ERRORS)
async def v2_model_ready(
    model: ModelName, parts: PredictingPartsDep, environment: EnvironmentQuery = None, target: TargetQuery = None
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
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> ModelReady:
    """The same for one active version."""
    await parts.predicting.find(place_of(model, environment, target), written_version(version))
    return ModelReady(name=model)


def written_version(text: str) -> int:
    """The version of an address.

    Raises:
        NotFound: when it is none.
    """
    version = read_version(text)
    if version is None:
        raise NotFound(f"There is no version '{text}'. Versions are whole numbers from 1.")
    return version


async def described(parts: PredictingParts, model: str, place: ServingPlace, version: int | None) -> ModelMetadata:
    """What a model takes and gives.

    Raises:
        PlatformError: as `Predicting.find`.
    """
    predictor = await parts.predicting.find(place, version)
    versions = await to_thread.run_sync(parts.active_versions, place)
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
