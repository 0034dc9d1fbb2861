"""Predictions by the Open Inference Protocol, version 2."""

import json
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from api.dependencies import PredictingParts, PredictingPartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.protocols.addresses import place_of
from api.protocols.problems import MessageProblems
from api.protocols.v2.message import JSON_LENGTH, split
from api.protocols.v2.outputs import PROBABILITIES, wanted_outputs, written_outputs
from api.protocols.v2.rows import rows_of
from api.protocols.v2.tensors import read_tensors
from api.routes.v2 import EnvironmentQuery, ModelName, TargetQuery, VersionInPath, written_version
from api.schemas.problems import OpenApiResponses
from api.schemas.v2 import InferAnswer, InferRequest, V2Error
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

_BINARY = "application/octet-stream"


class InferRoute(StrictRoute):
    """A route whose body is JSON, and the bytes of binary tensors behind it."""

    def check_media_type(self, _request: Request) -> None:
        """Nothing to look at: clients of the protocol say one type, another or none."""

    def json_of(self, request: Request, body: bytes) -> bytes:
        """The JSON; the bytes behind it wait in the state of the request."""
        # Two lengths are no number, so that they are refused.
        lengths = request.headers.getlist(JSON_LENGTH)
        message, request.state.tail = split(body, ", ".join(lengths) if lengths else None)
        return message


router = APIRouter(tags=["Open Inference Protocol"], route_class=InferRoute)


_ANSWERS: OpenApiResponses = {
    200: {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}},
    **responses(400, 404, 409, 413, 415, 422, 503, model=V2Error),
}

# Described by hand: `InferRoute` reads it before there are parameters.
_EXTRA = {
    "parameters": [
        {
            "name": JSON_LENGTH,
            "in": "header",
            "required": False,
            "description": "With binary tensors: how many bytes of the body are JSON; those of the tensors follow.",
            "schema": {"type": "integer"},
        }
    ]
}


@router.post(
    "/v2/models/{model}/infer",
    summary="Predict (V2)",
    response_model=InferAnswer,
    responses=_ANSWERS,
    openapi_extra=_EXTRA,
)
async def v2_infer(
    *,
    model: ModelName,
    body: InferRequest,
    request: Request,
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> Response:
    """Predictions of the highest active version, with the checks of `POST /predict`.

    The rows come as one tensor of all columns, or as one for each column: `data` in the JSON, or the bytes behind it as
    the extension for binary tensors has it. There NaN is a missing value; in the JSON it is null. `outputs` asks for
    `predict_proba`, too.
    """
    return await _infer(Asked(model, None, body), request, parts, place_of(model, environment, target))


@router.post(
    "/v2/models/{model}/versions/{version}/infer",
    summary="Predict with one version (V2)",
    response_model=InferAnswer,
    responses=_ANSWERS,
    openapi_extra=_EXTRA,
)
async def v2_infer_with_version(
    *,
    model: ModelName,
    version: VersionInPath,
    body: InferRequest,
    request: Request,
    parts: PredictingPartsDep,
    environment: EnvironmentQuery = None,
    target: TargetQuery = None,
) -> Response:
    """The same by one active version instead of the highest one."""
    asked = Asked(model, written_version(version), body)
    return await _infer(asked, request, parts, place_of(model, environment, target))


class Asked(NamedTuple):
    """A request and the model of its address."""

    model: str
    version: int | None
    body: InferRequest


async def _infer(asked: Asked, request: Request, parts: PredictingParts, place: ServingPlace) -> Response:
    _check_repeated(asked, place)
    predictor = await parts.predicting.find(place, asked.version)
    warnings = parts.predicting.several_targets(place, asked.version, predictor)
    most, tail = parts.settings.predict_max_cells, request.state.tail
    act = partial(_answer, asked, tail, place, predictor, warnings, max_cells=most)
    return await parts.predicting.run(place, predictor, act)


def _check_repeated(asked: Asked, place: ServingPlace) -> None:
    """Whoever repeats the model of the address in the body means the same one."""
    problems = MessageProblems()
    named, version = asked.body.model_name, asked.body.model_version
    if named and named not in {asked.model, place.dataset_name}:
        problems.add(("model_name",), f"The address names the model '{asked.model}', not '{named}'.")
    if version and asked.version is not None and version != str(asked.version):
        problems.add(("model_version",), f"The address names version {asked.version}, not '{version}'.")
    if version and asked.version is None:
        problems.add(("model_version",), f"Name the version in the address: /v2/models/{asked.model}/versions/…/infer.")
    problems.raise_if_any()


def _answer(
    asked: Asked, tail: bytes, place: ServingPlace, predictor: Predictor, warnings: list[str], *, max_cells: int
) -> Response:
    content, behind, binary = inferred(asked, tail, place, predictor, warnings, max_cells=max_cells)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if not binary:
        return Response(text, media_type="application/json")
    return Response(text + behind, media_type=_BINARY, headers={JSON_LENGTH: str(len(text))})


def inferred(
    asked: Asked, tail: bytes, place: ServingPlace, predictor: Predictor, warnings: list[str], *, max_cells: int
) -> tuple[dict[str, Any], bytes, bool]:
    """The answer as JSON has it, the bytes that go behind it, and whether any output is among these.

    Raises:
        InvalidRequest: when tensors or outputs are not what they should be.
        PlatformError: as `rows_of` and `Predictor.answer`.
    """
    wanted = wanted_outputs(asked.body, predictor)
    tensors = read_tensors(asked.body.inputs, tail, max_cells=max_cells)
    rows = rows_of(predictor.signature, tensors, version=predictor.version, max_cells=max_cells, warnings=warnings)
    prediction = predictor.answer(
        features=rows,
        records=None,
        probabilities=any(output.name == PROBABILITIES for output in wanted),
        max_cells=max_cells,
    )
    outputs, behind = written_outputs(predictor.signature, prediction, wanted)
    told = warnings + prediction.warnings
    content: dict[str, Any] = {
        "model_name": asked.model,
        "model_version": str(predictor.version),
        "parameters": {
            "environment": place.environment,
            "target": predictor.signature.target,
            **({"warnings": "\n".join(told)} if told else {}),
        },
        "outputs": outputs,
    }
    if asked.body.id is not None:
        content["id"] = asked.body.id
    return content, behind, any(output.binary for output in wanted)
