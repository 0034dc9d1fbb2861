"""The scoring protocol of MLflow for rows in CSV, at the same address as for those in JSON."""

from fastapi import APIRouter, Request, Response

from api.dependencies import PartsDep
from api.http.raw_body import received_body
from api.predicting_csv import CsvPrediction
from api.protocols.addresses import place_of
from api.protocols.mlflow.csv_answer import PredictionsOutput
from api.protocols.probabilities import need_probabilities
from api.routes.mlflow import ADVICE, PROBABILITIES, PredictFunction, made_by
from api.routes.predict_csv import CsvRoute
from api.routes.v2 import EnvironmentQuery, ModelName, TargetQuery

router = APIRouter(route_class=CsvRoute)


# Described with the operation for JSON: an address and a method are one operation.
@router.post("/serve/{model}/invocations", include_in_schema=False)
async def mlflow_invoke_csv(
    *,
    request: Request,
    model: ModelName,
    parts: PartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
    predict_fn: PredictFunction = "predict",
) -> Response:
    """The predictions for the rows, all by one version."""
    place = place_of(model, environment, target)
    predictor = await parts.predicting.find(place, None)
    probabilities = predict_fn == PROBABILITIES
    if probabilities:
        need_probabilities(predictor, ADVICE)
    warnings = parts.predicting.several_targets(place, None, predictor)
    run = CsvPrediction(parts.predicting, place, predictor, probabilities, parts.settings.predict_max_cells)
    async with received_body(request, folder=parts.reader.folder, threads=parts.lanes.spooling) as body:
        checked = await run.check(request, body.path, [])
        rows = await run.open(checked.given)
    output = PredictionsOutput(probabilities=probabilities)
    return await run.answer(rows, checked.given, output, made_by(predictor, warnings + checked.warnings))
