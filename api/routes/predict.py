"""Prediction with the models in memory."""

import json

from fastapi import APIRouter, Response

from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.schemas.predict import PredictAnswer, PredictRequest
from shared.prediction.predictor import Predictor

router = APIRouter(tags=["Predict"], route_class=StrictRoute)


@router.post(
    "/predict",
    summary="Predict with the newest model of an environment",
    response_model=PredictAnswer,
    responses=responses(404, 409, 413, 415, 422, 503),
)
async def predict(body: PredictRequest, parts: PartsDep) -> Response:
    """One prediction per row, by the highest version that is active in the environment, or by one active version.

    Rows are given by position (`features`) or by name (`records`); every wrong cell is reported at once.
    """
    place = (body.dataset_name, body.environment)
    predictor = await parts.predicting.find(place, body.version)
    max_cells = parts.settings.predict_max_cells
    return await parts.predicting.run(place, predictor, lambda: _answer(body, predictor, max_cells=max_cells))


def _answer(body: PredictRequest, predictor: Predictor, *, max_cells: int) -> Response:
    prediction = predictor.answer(
        features=body.input_data.features,
        records=body.input_data.records,
        probabilities="probability" in body.return_,
        max_cells=max_cells,
    )
    # Written directly: the values are JSON already, and checking each of them again would cost more than predicting.
    content = {
        "dataset_name": body.dataset_name,
        "environment": body.environment,
        "version": predictor.version,
        "predictions": prediction.predictions,
    }
    if prediction.probabilities is not None:
        content |= {"probabilities": prediction.probabilities, "classes": prediction.classes}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json")
