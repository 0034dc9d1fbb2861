"""Prediction at the address of one model, which the docs describe with the model's own columns."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import PredictingPartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.routes.predict import predicted
from api.schemas.predict import PredictAnswer, TypedPredictRequest

PATH = "/models/{dataset}/{environment}/predict"

router = APIRouter(tags=["Predict"], route_class=StrictRoute)


@router.post(
    PATH,
    summary="Predict with the model of a dataset and an environment",
    response_model=PredictAnswer,
    responses=responses(404, 409, 413, 415, 422, 503),
)
async def predict_typed(
    dataset: Annotated[str, Path(description="The dataset whose model is asked.")],
    environment: Annotated[str, Path(description="The stage in which the model is active.")],
    body: TypedPredictRequest,
    parts: PredictingPartsDep,
) -> Response:
    """The same as `POST /predict`, whose first two fields stand in the address.

    For each model that serves, this document has an address of its own, with the columns that the model takes, their
    kinds, what training met in them, and a row that works as it stands. They follow promotions within a second.
    """
    return await predicted(body.with_place(dataset, environment), parts)
