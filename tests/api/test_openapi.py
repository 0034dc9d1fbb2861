"""What the API says of itself is complete and true."""

import copy
import re
from graphlib import TopologicalSorter
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from api.docs import TAGS
from api.http.json_body import StrictRoute
from api.protocols.forms import form_at

pytestmark = pytest.mark.any_stack


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_every_route_with_a_body_reads_json_strictly(app: FastAPI) -> None:
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    with_body = [route for route in routes if isinstance(route, APIRoute) and route.body_field is not None]
    assert with_body
    assert [route.path for route in with_body if not isinstance(route, StrictRoute)] == []


def test_the_document_is_valid_for_the_release_of_openapi_that_it_names(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    # Clients take them as relative to the document, as the text of the standard has it; its schema wants them whole.
    whole = copy.deepcopy(document)
    flow = whole["components"]["securitySchemes"]["password"]["flows"]["password"]
    flow |= {name: f"http://127.0.0.1/{flow[name]}" for name in ("tokenUrl", "refreshUrl")}
    schemathesis.openapi.from_dict(whole).validate()


def test_it_refers_to_its_own_schemas_and_none_of_them_to_itself(document: dict[str, Any]) -> None:
    # So the page of Swagger UI follows references: see `resolveSubtree` in api/docs/static/swagger.js.
    schemas = document["components"]["schemas"]
    below = {name: _references(schema) for name, schema in schemas.items()}
    assert {name for names in below.values() for name in names} <= set(schemas)
    assert _references(document["paths"]) <= set(schemas)
    TopologicalSorter(below).prepare()
    # What an operation would have from elsewhere, it has itself.
    assert set(document) == {"openapi", "info", "paths", "components", "tags"}
    methods = {method for path in document["paths"].values() for method in path}
    assert methods <= {"get", "post", "put", "patch", "delete"}


def _references(part: Any) -> set[str]:
    """The names of the schemas that a part of the document refers to; other references as they are written."""
    values = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    found = set[str]().union(*map(_references, values))
    if isinstance(part, dict) and "$ref" in part:
        found.add(part["$ref"].removeprefix("#/components/schemas/"))
    return found


def test_every_operation_has_a_summary_a_description_and_a_known_tag(document: dict[str, Any]) -> None:
    known = [tag["name"] for tag in TAGS]
    for operation in _operations(document):
        # In words of people: no name of a class has got into it.
        assert operation["summary"]
        assert not re.search(r"[a-z][A-Z]", operation["summary"]), operation["summary"]
        assert operation["description"]
        assert operation["tags"][0] in known


def test_operations_are_named_by_hand_and_once(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in _operations(document)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_tags_come_in_the_order_of_the_walk(document: dict[str, Any]) -> None:
    used = list(dict.fromkeys(operation["tags"][0] for operation in _operations(document)))
    assert used == [tag["name"] for tag in TAGS]


def test_errors_are_documented_in_the_form_of_their_address(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        form = form_at(path)
        schema = "Problem" if form is None else form.schema.__name__
        for operation in operations.values():
            assert "500" in operation["responses"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    ((kind, content),) = response["content"].items()
                    assert kind == ("application/problem+json" if form is None else "application/json")
                    assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "HTTPValidationError" not in str(document["paths"])


@pytest.mark.asvs("2.1.1")
def test_every_property_has_a_description(document: dict[str, Any]) -> None:
    bare = [
        f"{name}.{member}"
        for name, schema in document["components"]["schemas"].items()
        for member, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    assert bare == []


def test_every_parameter_has_a_description(document: dict[str, Any]) -> None:
    bare = [
        f"{operation['operationId']}({parameter['name']})"
        for operation in _operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert bare == []


def test_headers_of_responses_are_documented(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            assert response["headers"]["X-Request-ID"]["description"]
            if status == "202":
                assert {"Location", "Retry-After"} <= set(response["headers"]), operation["operationId"]
            if status == "503":
                assert "Retry-After" in response["headers"]


@pytest.mark.parametrize(
    ("schema", "member"), [("InputData", "features"), ("InputData", "records"), ("PredictRequest", None)]
)
def test_inputs_of_predictions_have_examples(document: dict[str, Any], schema: str, member: str | None) -> None:
    described = document["components"]["schemas"][schema]
    assert (described if member is None else described["properties"][member])["examples"]


@pytest.mark.asvs("2.1.1")
def test_operations_that_read_a_body_tell_what_is_refused(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        if "requestBody" in operation:
            assert "413" in operation["responses"], operation["operationId"]
            # A body that cannot be right has the status 400 in other protocols.
            assert {"400", "422"} & set(operation["responses"]), operation["operationId"]
