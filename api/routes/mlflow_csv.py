"""The scoring protocol of MLflow for rows in CSV, at the same address as for those in JSON."""

from fastapi import APIRouter, Request, Response

from api.dependencies import PredictingParts, PredictingPartsDep
from api.http.model_headers import model_headers
from api.http.raw_body import received_body
from api.predicting_csv import CsvPrediction
from api.protocols.addresses import place_of
from api.protocols.mlflow.answers import PredictionsOutput
from api.protocols.probabilities import need_probabilities
from api.routes.mlflow import ADVICE, PROBABILITIES, PredictFunction
from api.routes.predict_csv import CsvRoute
from api.routes.v2 import EnvironmentQuery, ModelName, TargetQuery
from shared.prediction.csv_output import RowsOutput
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace

router = APIRouter(route_class=CsvRoute)


# Described with the operation for JSON: an address and a method are one operation.
@router.post("/serve/{model}/invocations", include_in_schema=False)
async def mlflow_invoke_csv(
    *,
    request: Request,
    model: ModelName,
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
    predict_fn: PredictFunction = "predict",
) -> Response:
    """The predictions for the rows, all by one version."""
    probabilities = predict_fn == PROBABILITIES
    place, output = place_of(model, environment, target), PredictionsOutput(probabilities=probabilities)
    return await invoked_with_table(request, parts, place, output, probabilities=probabilities)


async def invoked_with_table(
    request: Request, parts: PredictingParts, place: ServingPlace, output: RowsOutput, *, probabilities: bool
) -> Response:
    """The answer of the model of a place to a request with a table, written by `output`.

    Raises:
        PlatformError: as `Predicting.find` and `CsvPrediction` do.
    """
    predictor = await parts.predicting.find(place, None)
    if probabilities:
        need_probabilities(predictor, ADVICE)
    warnings = parts.predicting.several_targets(place, None, predictor)
    wanted = Extras(probabilities=probabilities)
    run = CsvPrediction(parts.predicting, place, predictor, wanted, parts.settings.predict_max_cells)
    async with received_body(request, folder=parts.spool_folder, threads=parts.lanes.spooling) as body:
        checked = await run.check(request, body.path, [])
        rows = await run.open(checked.given)
    return await run.answer(rows, checked.given, output, model_headers(predictor, warnings + checked.warnings))
