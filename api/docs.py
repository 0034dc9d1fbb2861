"""How the API describes itself: tags in the order of the walk, and problems where FastAPI would put its own errors."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api import problems

TITLE = "ML Mini Platform"
DESCRIPTION = (
    "From a table to a governed, served model: **upload** a dataset, **train** an estimator on it in the background, "
    "**promote** the registered model from stage to stage, and **predict** with the newest model of an environment."
)
TAGS = [
    {"name": "Datasets", "description": "Tables in the catalog, with their versions."},
    {"name": "Train", "description": "Fit any scikit-learn estimator to a dataset, in the background."},
    {"name": "Jobs", "description": "What has become of accepted work."},
    {"name": "Models", "description": "Registered models, their metrics and files."},
    {"name": "Promote", "description": "Bring a model to the next stage."},
    {"name": "Predict", "description": "Ask the newest model of an environment."},
    {"name": "Operations", "description": "How the platform is."},
    {"name": "Errors", "description": "What error codes mean."},
]

_PROBLEM = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
# What any request can meet, whatever it asks for.
_ANYWHERE = {"422": "What was asked cannot be right", "500": "Something unexpected happened"}


def _header(description: str, schema_type: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": schema_type}}


_REQUEST_ID = _header("The id of the request: the one that the client sent, or a new one.", "string")
_RETRY_AFTER = _header("After how many seconds to ask again.", "integer")
_LOCATION = _header("The address of what was made.", "string")


def operation_id(route: APIRoute) -> str:
    """Operations are named by their functions."""
    return route.name


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        for path in document["paths"].values():
            for operation in path.values():
                _document_problems(operation)
                _document_headers(operation)
        for schema in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(schema, None)
        app.openapi_schema = document
    return app.openapi_schema


def _document_problems(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            response["content"] = _PROBLEM
    for status, description in _ANYWHERE.items():
        operation["responses"].setdefault(status, {"description": description, "content": _PROBLEM})


def _document_headers(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        headers = response.setdefault("headers", {})
        headers["X-Request-ID"] = _REQUEST_ID
        if status in {"201", "202"}:
            headers["Location"] = _LOCATION
        if status in {"202", "503"}:
            headers["Retry-After"] = _RETRY_AFTER
