"""Prediction for the rows of a CSV file, at the same address as for rows in JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from api.dependencies import PredictingPartsDep
from api.http.media_types import CSV, accept_of, media_type, named_quality
from api.http.model_headers import model_headers
from api.http.raw_body import received_body
from api.predicting_csv import CsvPrediction
from api.schemas.base import WrittenVersion, read_version
from shared.errors import InvalidRequest
from shared.prediction.csv_output import CsvOutput, JsonOutput, RowsOutput
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace


def _parameter(name: str, kind: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": {"type": kind}}


CSV_REQUEST: dict[str, Any] = {
    "parameters": [
        _parameter("dataset_name", "string", "For CSV, required: the dataset whose model is asked."),
        _parameter("environment", "string", "For CSV, required: the stage in which the model is active."),
        _parameter("version", "integer", "For CSV: one active version, instead of the newest one."),
        _parameter("target", "string", "For CSV: the column to predict, where models of several are active."),
        _parameter("proba", "boolean", "For CSV: add one column for each class, with its probability."),
        _parameter(
            "interval",
            "boolean",
            "For CSV: add what holds the truth for a promised share of rows, as the columns `interval_low` and "
            "`interval_high`, or as `interval`, a list of labels in JSON.",
        ),
        _parameter("column", "string", "For CSV: the name of the new column; `prediction` by default."),
    ],
    "requestBody": {
        "content": {
            CSV: {
                "schema": {"type": "string"},
                "examples": {
                    "iris_rows": {
                        "summary": "Iris: two rows, with a column of the client's own",
                        "value": "id,sepal_length,sepal_width,petal_length,petal_width\n"
                        "1,5.1,3.5,1.4,0.2\n2,6.2,3.4,5.4,2.3\n",
                    },
                    "iris_semicolons": {
                        "summary": "The delimiter may be a semicolon, and the decimal mark a comma",
                        "value": "sepal_length;sepal_width;petal_length;petal_width\n5,1;3,5;1,4;0,2\n",
                    },
                },
            }
        }
    },
}
CSV_ANSWER: dict[str, Any] = {
    "content": {
        CSV: {
            "schema": {"type": "string"},
            "examples": {
                "rows": {
                    "summary": "The rows with their predictions",
                    "value": "id,sepal_length,sepal_width,petal_length,petal_width,prediction\n"
                    "1,5.1,3.5,1.4,0.2,setosa\n2,6.2,3.4,5.4,2.3,virginica\n",
                }
            },
        }
    }
}


class CsvRoute(APIRoute):
    """A route that is there for bodies in CSV only."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is one for it."""
        match, child = super().matches(scope)
        return (match, child) if media_type(Headers(scope=scope)) == CSV else (Match.NONE, {})


router = APIRouter(route_class=CsvRoute)


# Described with the operation for JSON: an address and a method are one operation.
@router.post("/predict", include_in_schema=False)
async def predict_csv(
    *,
    request: Request,
    parts: PredictingPartsDep,
    dataset_name: Annotated[str, Query()],
    environment: Annotated[str, Query()],
    version: Annotated[WrittenVersion | None, Query()] = None,
    target: Annotated[str | None, Query()] = None,
    proba: Annotated[bool, Query()] = False,
    interval: Annotated[bool, Query()] = False,
    column: Annotated[str, Query(min_length=1, max_length=256)] = "prediction",
) -> Response:
    """The rows with what is predicted for them, all by one version."""
    number = _number(version)
    place = ServingPlace(dataset_name, environment, target)
    predictor = await parts.predicting.find(place, number)
    told = parts.predicting.several_targets(place, number, predictor)
    wanted, signature = Extras(proba, interval), predictor.signature
    run = CsvPrediction(parts.predicting, place, predictor, wanted, parts.settings.predict_max_cells)
    added = [column, *wanted.columns(signature)]
    folder = parts.spool_folder
    async with received_body(request, folder=folder, threads=parts.lanes.spooling) as body:
        checked = await run.check(request, body.path, added)
        # It stays open while it is sent, and needs its name no more.
        rows = await run.open(checked.given)
    warnings = told + checked.warnings
    if named_quality(accept_of(request), CSV):
        output: RowsOutput = CsvOutput(signature, header=[*rows.header, *added], delimiter=rows.delimiter)
    else:
        facts = {
            "dataset_name": dataset_name,
            "environment": environment,
            "version": predictor.version,
            "target": signature.target,
        }
        output = JsonOutput(facts, signature, wanted, warnings=warnings, scratch=folder)
    headers = {"X-Row-Count": str(checked.rows), **model_headers(predictor, warnings)}
    return await run.answer(rows, checked.given, output, headers)


def _number(version: str | None) -> int | None:
    number = None if version is None else read_version(version)
    if version is not None and number is None:
        sentence = f"'version' must be a whole number from 1, not '{version}'."
        raise InvalidRequest(sentence, errors=[{"loc": ["query", "version"], "msg": sentence}])
    return number
