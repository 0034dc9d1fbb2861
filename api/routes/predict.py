"""Prediction with the models in memory."""

import json
from functools import partial

from fastapi import APIRouter, Response

from api.dependencies import PredictingParts, PredictingPartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.routes.predict_csv import CSV_ANSWER, CSV_REQUEST
from api.schemas.predict import PredictAnswer, PredictRequest
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

router = APIRouter(tags=["Predict"], route_class=StrictRoute)


@router.post(
    "/predict",
    summary="Predict with the newest model of an environment",
    response_model=PredictAnswer,
    responses={200: CSV_ANSWER, **responses(404, 409, 413, 415, 422, 503)},
    openapi_extra=CSV_REQUEST,
)
async def predict(body: PredictRequest, parts: PredictingPartsDep) -> Response:
    """One prediction per row, by the highest version that is active in the environment, or by one active version.

    Where versions of several targets are active, `target` chooses; without it the highest version answers, and a
    warning says so. Every answer names its target.

    `return` asks for more than the label or number: `probability` for that of each class, `interval` for what holds the
    truth for a promised share of rows, which is `[low, high]` around a number, or a list of labels.

    Rows are given by position (`features`) or by name (`records`); every wrong cell is reported at once. What is taken,
    but may not be what was meant, is told in `warnings`.

    A CSV file with a line of column names is taken, too, as `text/csv` with the query parameters below, which belong to
    it alone. Who accepts `text/csv` gets its rows back with what is predicted for them, everybody else one answer in
    JSON. All rows are checked before the first is predicted, and predicted by one version. Columns that the model does
    not take are left as they are. `X-Warnings` has the warnings as a list in JSON; `X-Model-Version` and
    `X-Model-Target` say what predicted.
    """
    return await predicted(body, parts)


async def predicted(body: PredictRequest, parts: PredictingParts) -> Response:
    """The answer to a body.

    Raises:
        PlatformError: as `Predicting.find`, `Predicting.run` and `answer_of`.
    """
    place = ServingPlace(body.dataset_name, body.environment, body.target)
    predictor = await parts.predicting.find(place, body.version)
    warnings = parts.predicting.several_targets(place, body.version, predictor)
    act = partial(answer_of, body, predictor, warnings, max_cells=parts.settings.predict_max_cells)
    return await parts.predicting.run(place, predictor, act)


def answer_of(body: PredictRequest, predictor: Predictor, warnings: list[str], *, max_cells: int) -> Response:
    """The answer of a predictor to a body, after `warnings` that were found before.

    Raises:
        PlatformError: as `Predictor.answer`.
    """
    wanted = Extras.named_in(body.return_)
    prediction = predictor.answer(
        features=body.input_data.features,
        records=body.input_data.records,
        probabilities=wanted.probabilities,
        intervals=wanted.intervals,
        max_cells=max_cells,
    )
    # Written directly: the values are JSON already, and checking each of them again would cost more than predicting.
    content = {
        "dataset_name": body.dataset_name,
        "environment": body.environment,
        "version": predictor.version,
        "target": predictor.signature.target,
        "predictions": prediction.predictions,
        "warnings": warnings + prediction.warnings,
    }
    if prediction.probabilities is not None:
        content |= {"probabilities": prediction.probabilities, "classes": prediction.classes}
    if prediction.intervals is not None:
        content["intervals"] = prediction.intervals
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json")
