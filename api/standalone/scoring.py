"""The scoring protocol of MLflow and SageMaker at the root, for the one model that is served."""

from importlib.metadata import version as release
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from api.dependencies import PredictingPartsDep
from api.protocols.mlflow.answers import LinesOutput, PredictionsOutput, predictions_in_csv, predictions_in_json
from api.routes.mlflow import PROBABILITIES, InvocationRoute, PredictFunction, invoked
from api.routes.mlflow_csv import invoked_with_table
from api.routes.predict_csv import CSV, CsvRoute
from api.schemas.mlflow import Invocation
from api.standalone.parts import place_of_model
from shared.prediction.loaded import ServingPlace

PlaceOfModel = Annotated[ServingPlace, Depends(place_of_model)]
_JSON = "application/json"

router = APIRouter(route_class=InvocationRoute)
csv_router = APIRouter(route_class=CsvRoute)


@router.get("/ping")
@router.get("/health")
async def ping() -> Response:
    """The model is in memory before anything is answered."""
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
    written = predictions_in_csv if wants_csv(request.headers.get("accept", "")) else predictions_in_json
    return await invoked(body, parts, place, probabilities=predict_fn == PROBABILITIES, written=written)


@csv_router.post("/invocations")
async def invoke_with_table(
    *, request: Request, parts: PredictingPartsDep, place: PlaceOfModel, predict_fn: PredictFunction = "predict"
) -> Response:
    """The predictions for a table in CSV."""
    probabilities = predict_fn == PROBABILITIES
    output = LinesOutput if wants_csv(request.headers.get("accept", "")) else PredictionsOutput
    written = output(probabilities=probabilities)
    return await invoked_with_table(request, parts, place, written, probabilities=probabilities)


def wants_csv(accept: str) -> bool:
    """Whether a header Accept names CSV, and does not prefer JSON. Whoever accepts anything gets JSON."""
    ranges = dict(map(_range, accept.lower().split(",")))
    return ranges.get(CSV, 0.0) > ranges.get(_JSON, 0.0)


def _range(text: str) -> tuple[str, float]:
    """A media range and how much it is wanted (RFC 9110, section 12.5.1); what is no number counts as not at all."""
    name, *parameters = (part.strip() for part in text.split(";"))
    weight = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0
