"""The scoring protocol of MLflow, for each model below an address of its own."""

from collections.abc import Callable
from importlib.metadata import version as release
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse

from api.dependencies import PredictingParts, PredictingPartsDep
from api.http.json_body import StrictRoute
from api.http.media_types import CSV
from api.http.model_headers import model_headers
from api.http.problems import responses
from api.protocols.addresses import place_of
from api.protocols.mlflow.answers import predictions_in_json
from api.protocols.mlflow.payload import AskedModel, rows_of_invocation
from api.protocols.probabilities import need_probabilities
from api.routes.v2 import EnvironmentQuery, ModelName, TargetQuery
from api.schemas.mlflow import Invocation, InvocationAnswer, MlflowError
from shared.prediction.loaded import ServingPlace

PredictFunction = Annotated[
    Literal["predict", "predict_proba"],
    Query(description="What the predictions are: labels and numbers, or the probabilities of the classes."),
]
PROBABILITIES = "predict_proba"
ADVICE = "Leave out 'predict_fn'."

_CSV_REQUEST: dict[str, Any] = {
    "requestBody": {
        "content": {
            CSV: {
                "schema": {"type": "string"},
                "examples": {
                    "iris_rows": {
                        "summary": "Iris: two rows, by the names of the columns",
                        "value": "sepal_length,sepal_width,petal_length,petal_width\n"
                        "5.1,3.5,1.4,0.2\n6.2,3.4,5.4,2.3\n",
                    },
                    "iris_frame": {
                        "summary": "Iris: as pandas writes a frame with its index",
                        "value": ",sepal_length,sepal_width,petal_length,petal_width\n0,5.1,3.5,1.4,0.2\n",
                    },
                },
            }
        }
    }
}


class InvocationRoute(StrictRoute):
    """A route whose clients write NaN where a value is missing, as pandas does."""

    nan_is_null = True


router = APIRouter(prefix="/serve/{model}", tags=["MLflow scoring"], route_class=InvocationRoute)


@router.get(
    "/ping",
    summary="Does a model answer? (MLflow)",
    response_class=PlainTextResponse,
    responses=responses(404, 409, 503, model=MlflowError),
)
@router.get("/health", include_in_schema=False)
async def mlflow_ping(
    model: ModelName, parts: PredictingPartsDep, environment: EnvironmentQuery = None, target: TargetQuery = None
) -> Response:
    """Loads the highest active version, if it is not in memory yet. The answer is an empty line."""
    await parts.predicting.find(place_of(model, environment, target), None)
    return PlainTextResponse("\n")


@router.get("/version", summary="What serves here? (MLflow)", response_class=PlainTextResponse)
async def mlflow_version(model: ModelName) -> Response:
    """The release of this platform, where MLflow tells its own."""
    del model
    return PlainTextResponse(release("ml-mini-platform"))


@router.post(
    "/invocations",
    summary="Predict (MLflow)",
    response_model=InvocationAnswer,
    responses=responses(400, 404, 409, 413, 415, 503, model=MlflowError),
    openapi_extra=_CSV_REQUEST,
)
async def mlflow_invoke(
    *,
    model: ModelName,
    body: Invocation,
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
    predict_fn: PredictFunction = "predict",
) -> Response:
    """Predictions of the highest active version, with the checks of `POST /predict`.

    The rows come as `dataframe_split`, `dataframe_records`, `instances` or `inputs`, or as `text/csv` with a line of
    column names. `X-Warnings` has what is worth knowing as a list in JSON; `X-Model-Version` and `X-Model-Target` say
    what predicted.
    """
    return await invoked(body, parts, place_of(model, environment, target), probabilities=predict_fn == PROBABILITIES)


async def invoked(
    body: Invocation,
    parts: PredictingParts,
    place: ServingPlace,
    *,
    probabilities: bool,
    written: Callable[[list[Any]], Response] = predictions_in_json,
) -> Response:
    """The answer of the model of a place; `written` makes it of the predictions.

    Raises:
        PlatformError: as `Predicting.find`, `Predicting.run` and `Predictor.answer` do.
    """
    predictor = await parts.predicting.find(place, None)
    if probabilities:
        need_probabilities(predictor, ADVICE)
    warnings = parts.predicting.several_targets(place, None, predictor)
    asked = AskedModel(predictor.signature, predictor.version, parts.settings.predict_max_cells)

    def answer() -> Response:
        given = rows_of_invocation(body, asked, warnings)
        prediction = predictor.answer(
            features=given.features,
            records=given.records,
            probabilities=probabilities,
            max_cells=asked.max_cells,
        )
        response = written((prediction.probabilities if probabilities else prediction.predictions) or [])
        response.headers.update(model_headers(predictor, warnings + prediction.warnings))
        return response

    return await parts.predicting.run(place, predictor, answer)
