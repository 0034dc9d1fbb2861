"""The OpenAPI document: FastAPI's, with problems where it would put errors of its own, and samples of everything."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.access.rules import Budget, Demand, Need, demand_at
from api.docs.answers import add_samples
from api.docs.links import add_links
from api.docs.requests import fill_in
from api.http import problems
from api.http.statuses import TITLES
from api.protocols.error_forms import ErrorForm
from api.protocols.forms import form_at

_PROBLEM = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
# In place of FastAPI's one word for all.
_SUCCESSES = {
    "200": "What was asked for",
    "201": "It is in the catalog",
    "202": "Accepted: the job is kept, whatever gets restarted",
    "204": "Done; there is nothing to tell",
}
# How it is shown who asks. Each of them is enough.
SCHEMES: dict[str, Any] = {
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of `POST /api-keys`."},
    "password": {
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "auth/token", "refreshUrl": "auth/refresh", "scopes": {}}},
        "description": "A name and a password, exchanged for a token.",
    },
}

# What any request can meet, whatever it asks for.
_ANYWHERE = {"422": "What was asked cannot be right", "500": "Something unexpected happened"}
_ANYWHERE_IN_FORM = {"400": "The message cannot be read", "500": "Something unexpected happened"}
_WITHOUT_FORM = "HTTPValidationError"


def _header(description: str, schema_type: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": schema_type}}


_REQUEST_ID = _header("The id of the request: the one that the client sent, or a new one.", "string")
_RETRY_AFTER = _header("After how many seconds to ask again.", "integer")
_LIMITS = {
    "RateLimit-Policy": _header(
        "What is limited, and how much there may be (draft-ietf-httpapi-ratelimit-headers-10).", "string"
    ),
    "RateLimit": _header("How much is left of it, and for how many seconds.", "string"),
}
_LOCATION = _header("The address of what was made.", "string")


def operation_id(route: APIRoute) -> str:
    """Operations are named by their functions, unless the route names them."""
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
        for address, path in document["paths"].items():
            form = form_at(address)
            for method, operation in path.items():
                _document_access(operation, demand_at(f"{method.upper()} {address}"))
                _document_errors(operation, form)
                _document_headers(operation)
                _simplify_parameters(operation)
                fill_in(operation)
                add_samples(operation, form)
                add_links(operation)
        document["components"]["securitySchemes"] = SCHEMES
        for schema in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(schema, None)
        app.openapi_schema = document
    return app.openapi_schema


def _document_access(operation: dict[str, Any], asked: Demand) -> None:
    """Say what has to come along, where something has to, and how often it may: once there are accounts."""
    if asked.budget is not Budget.NONE:
        operation["responses"].setdefault("429", {"description": TITLES[429]})
    if asked.rule is Need.NOTHING:
        return
    operation["security"] = [{name: []} for name in SCHEMES]
    for status in ("401", "403"):
        operation["responses"].setdefault(status, {"description": TITLES[int(status)]})


def _document_errors(operation: dict[str, Any], form: ErrorForm | None) -> None:
    content = _PROBLEM if form is None else _content_of(form)
    if form is not None and _WITHOUT_FORM in str(operation["responses"].get("422")):
        # What the framework adds by itself; it is another status there.
        del operation["responses"]["422"]
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            response["content"] = content
        elif response["description"] == "Successful Response":
            response["description"] = _SUCCESSES[status]
    for status, description in (_ANYWHERE if form is None else _ANYWHERE_IN_FORM).items():
        operation["responses"].setdefault(status, {"description": description, "content": content})


def _content_of(form: ErrorForm) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{form.schema.__name__}"}}}


def _document_headers(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        headers = response.setdefault("headers", {})
        headers["X-Request-ID"] = _REQUEST_ID
        if status in {"201", "202"}:
            headers["Location"] = _LOCATION
        if status in {"202", "429", "503"}:
            headers["Retry-After"] = _RETRY_AFTER
        if status == "429":
            headers |= _LIMITS


def _simplify_parameters(operation: dict[str, Any]) -> None:
    """Say nothing of null: a parameter that is left out is left out, for addresses and headers have no null."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
        if len(choices) == 1:
            del schema["anyOf"]
            parameter["schema"] = choices[0] | schema
