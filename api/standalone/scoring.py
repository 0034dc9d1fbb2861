"""The scoring protocol of MLflow and SageMaker at the root, for the one model that is served."""

from importlib.metadata import version as release
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from api.dependencies import PredictingPartsDep
from api.http.media_types import CSV, JSON, accept_of, named_quality
from api.protocols.mlflow.answers import LinesOutput, PredictionsOutput, predictions_in_csv, predictions_in_json
from api.routes.mlflow import PROBABILITIES, InvocationRoute, PredictFunction, invoked
from api.routes.mlflow_csv import invoked_with_table
from api.routes.predict_csv import CsvRoute
from api.schemas.mlflow import Invocation
from api.standalone.parts import place_of_model
from shared.prediction.loaded import ServingPlace

PlaceOfModel = Annotated[ServingPlace, Depends(place_of_model)]

router = APIRouter(route_class=InvocationRoute)
csv_router = APIRouter(route_class=CsvRoute)


@router.get("/ping")
@router.get("/health")
async def ping() -> Response:
    """Always well: the model is in memory before the server answers anything."""
    return PlainTextResponse("\n")


@router.get("/version")
async def scoring_version() -> Response:
    """The release of the platform, where MLflow tells its own."""
    return PlainTextResponse(release("ml-mini-platform"))


@router.post("/invocations")
async def invoke(
    *,
    request: Request,
    body: Invocation,
    parts: PredictingPartsDep,
    place: PlaceOfModel,
    predict_fn: PredictFunction = "predict",
) -> Response:
    """The predictions for rows in JSON."""
    written = predictions_in_csv if wants_csv(request) else predictions_in_json
    return await invoked(body, parts, place, probabilities=predict_fn == PROBABILITIES, written=written)


@csv_router.post("/invocations")
async def invoke_with_table(
    *, request: Request, parts: PredictingPartsDep, place: PlaceOfModel, predict_fn: PredictFunction = "predict"
) -> Response:
    """The predictions for a table in CSV."""
    probabilities = predict_fn == PROBABILITIES
    output = LinesOutput if wants_csv(request) else PredictionsOutput
    written = output(probabilities=probabilities)
    return await invoked_with_table(request, parts, place, written, probabilities=probabilities)


def wants_csv(request: Request) -> bool:
    """Whether the client names CSV and does not prefer JSON; a client that takes anything gets JSON."""
    accept = accept_of(request)
    return named_quality(accept, CSV) > named_quality(accept, JSON)
