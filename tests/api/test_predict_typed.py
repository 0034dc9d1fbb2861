"""The address of one model: predictions as at `/predict`, and a description with the model's own columns."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.docs import live
from api.docs.typed import MOST_COLUMNS
from api.parts import Parts
from api.routes import predict_typed
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.registry.deployments import retire
from tests.support.models import Fitted, Platform, iris_forest, numeric_signature, with_target
from tests.support.registry import Data
from tests.support.stack import Stack
from tests.support.tensor_models import furnish
from tests.support.training_tables import dirty, trained
from tests.support.waiting import eventually

IRIS = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
ROWS = {"input_data": {"records": [IRIS]}}
CUSTOMERS = "/models/customers/dev/predict"


@pytest.fixture
def platform(app: FastAPI, client: TestClient, tmp_path: Path) -> Platform:
    """The platform of the started application, with nothing in it."""
    parts: Parts = app.state.parts
    return Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)


def customers(client: TestClient, platform: Platform) -> int:
    """A model of a table that was uploaded."""
    file = {"file": ("customers.csv", dirty().to_csv(index=False))}
    assert client.post("/datasets/upload", files=file).status_code == 201
    with platform.database.read() as session:
        row = session.scalars(
            select(DatasetVersionRow)
            .join(DatasetRow, DatasetRow.id == DatasetVersionRow.dataset_id)
            .where(DatasetRow.name == "customers")
        ).one()
        data = Data(row.dataset_id, row.id)
    return platform.train(data, fitted_customers(), name="customers")


@functools.cache
def fitted_customers() -> Fitted:
    """It is fitted once: each test only stores it."""
    result = trained("ensemble.HistGradientBoostingClassifier", dirty())
    return Fitted(result.model, result.facts.signature, result.facts.environment)


def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def typed(client: TestClient) -> list[str]:
    """The addresses of models that the document has."""
    return sorted(path for path in document(client)["paths"] if re.fullmatch(r"/models/\w+/\w+/predict", path))


def body_of(client: TestClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document(client)["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return found


def test_the_answer_is_that_of_predict(client: TestClient, platform: Platform) -> None:
    platform.train(platform.dataset(), iris_forest().in_form())
    for more in ({}, {"return": ["label", "probability"]}, {"version": 1}, {"target": "target"}):
        known = client.post("/predict", json={"dataset_name": "iris", "environment": "dev", **ROWS, **more})
        asked = client.post("/models/iris/dev/predict", json=ROWS | more, headers={"X-Request-ID": "mine"})
        assert (asked.status_code, asked.content) == (200, known.content)
        assert asked.headers["x-request-id"] == "mine"
    by_position = {"input_data": {"features": [list(IRIS.values())]}}
    assert client.post("/models/iris/dev/predict", json=by_position).json()["predictions"] == ["setosa"]
    route = 'route="/models/{dataset}/{environment}/predict",status="200"'
    assert route in client.get("/metrics").text


@pytest.mark.any_stack
def test_a_compiled_model_in_memory_is_asked_by_the_short_way(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.train(platform.dataset(), iris_forest().in_form())
    known = client.post("/models/iris/dev/predict", json=ROWS)
    monkeypatch.setattr(predict_typed, "predicted", None)
    assert client.post("/models/iris/dev/predict", json=ROWS).content == known.content


@pytest.fixture(scope="module")
def two_forms(one_parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A model of iris as scikit-learn has it, and a compiled one of lilies, which none of these requests change."""
    folder = tmp_path_factory.mktemp("two-forms")
    platform = Platform(one_parts.database, one_parts.store, one_parts.settings, one_parts.key, folder)
    platform.train(platform.dataset("iris"), iris_forest())
    platform.train(platform.dataset("lilies"), iris_forest().in_form(), name="lilies")


@pytest.mark.any_stack
@pytest.mark.parametrize("name", ["iris", "lilies"])
@pytest.mark.parametrize(
    ("place", "changed"),
    [
        *(
            ("{name}s/dev", {}),
            ("{Name}/dev", {}),
            ("{name}/staging", {}),
            ("{name}/stagging", {}),
            ("{name}/dev", {"version": 9}),
        ),
        ("{name}/dev", {"input_data": {"records": [IRIS | {"petal_width": "wide"}]}}),
        ("{name}/dev", {"input_data": {"records": [{"petals": 1}]}}),
        ("{name}/dev", {"input_data": {"records": [IRIS], "features": [[1]]}}),
        ("{name}/dev", {"retrun": []}),
        ("{name}/dev", {"target": "species"}),
    ],
)
def test_what_is_wrong_is_told_as_predict_tells_it(
    one_client: TestClient, two_forms: None, name: str, place: str, changed: dict[str, Any]
) -> None:
    place = place.format(name=name, Name=name.title())
    dataset, environment = place.split("/")
    body = {"dataset_name": dataset, "environment": environment} | ROWS | changed
    known = one_client.post("/predict", json=body)
    asked = one_client.post(f"/models/{place}/predict", json=ROWS | changed)
    assert known.status_code >= 400
    assert asked.status_code == known.status_code
    assert _without_fields(asked.json()) == _without_fields(known.json())


def _without_fields(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem, but for its id and the list of fields that a body may have."""
    return {
        name: value.partition(" The fields are ")[0] if isinstance(value, str) else value
        for name, value in problem.items()
        if name not in {"request_id", "available", "errors"}
    }


@pytest.mark.any_stack
@pytest.mark.parametrize("name", ["compare", "1", "retire", "artifact", "predict", "batch"])
def test_no_name_of_a_dataset_leads_to_another_route(app: FastAPI, name: str) -> None:
    path = f"/models/{name}/production/predict"
    routes = [route.path for route in iter_route_contexts(app.routes) if route.path_regex.match(path)]
    assert routes == ["/models/{dataset}/{environment}/predict"]


@pytest.mark.any_stack
def test_a_dataset_may_have_the_name_of_another_address(client: TestClient, platform: Platform) -> None:
    platform.train(platform.dataset("compare"), name="compare")
    assert client.post("/models/compare/dev/predict", json=ROWS).json()["predictions"] == ["setosa"]
    assert client.get("/models/compare?versions=1,1").status_code in {200, 422}
    wrong = client.get("/models/compare/dev/predict")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


@pytest.mark.any_stack
def test_without_models_the_document_is_the_fixed_one(app: FastAPI, client: TestClient) -> None:
    assert document(client) == json.loads(json.dumps(app.openapi()))


@pytest.mark.any_stack
def test_the_columns_are_described_with_kinds_ranges_and_categories(client: TestClient, platform: Platform) -> None:
    version = customers(client, platform)
    eventually(lambda: typed(client) == [CUSTOMERS])
    record = body_of(client, CUSTOMERS)["schema"]["properties"]["input_data"]["properties"]["records"]["items"]
    columns = record["properties"]
    assert [*columns] == [*dirty().columns[:-1]]
    assert record["additionalProperties"] is False
    nullable = [name for name, column in columns.items() if "null" in column.get("type", "")]
    assert {"age", "city"} <= set(nullable)
    assert {"age", "city", "customer_id"}.isdisjoint(record["required"])
    assert columns["age"]["type"] == ["number", "null"] or columns["age"]["type"] == ["integer", "null"]
    assert re.fullmatch(r"\w+; from 18 to 79 in the data; may be missing\.", columns["age"]["description"])
    assert columns["city"]["type"] == ["string", "null"]
    assert sorted(columns["city"]["examples"]) == ["Berlin", "Lyon", "Oslo"]
    assert "3 categories in training" in columns["city"]["description"]
    assert columns["member"]["type"] == ["boolean", "null"]
    assert "the model leaves it aside" in columns["customer_id"]["description"]
    operation = document(client)["paths"][CUSTOMERS]["post"]
    assert f"Version {version}, a " in operation["description"]
    assert "predicts `target`: `buys`, `leaves`." in operation["description"]
    predictions = operation["responses"]["200"]["content"]["application/json"]["schema"]["allOf"][1]
    assert predictions["properties"]["predictions"]["items"] == {"enum": ["buys", "leaves"]}


def test_the_example_is_a_row_of_the_table_and_is_answered(client: TestClient, platform: Platform) -> None:
    customers(client, platform)
    eventually(lambda: typed(client) == [CUSTOMERS])
    content = body_of(client, CUSTOMERS)
    example = content["examples"]["row"]["value"]
    (row,) = example["input_data"]["records"]
    assert row["remark"] == "Customer 0 said nothing of note"
    assert row["customer_id"] == 1000
    answer = client.post(CUSTOMERS, json=example)
    assert (answer.status_code, answer.json()["warnings"]) == (200, [])
    assert answer.json()["predictions"][0] in {"buys", "leaves"}
    validator = jsonschema_rs.validator_for({"$ref": "#/it", "it": content["schema"], **document(client)})
    assert [str(error) for error in validator.iter_errors(example)] == []
    assert not validator.is_valid({"input_data": {"records": [row | {"agee": 1}]}})


@pytest.mark.any_stack
def test_the_document_is_valid_with_models_in_it(client: TestClient, app: FastAPI, platform: Platform) -> None:
    furnish(app.state.parts, platform.folder)
    eventually(lambda: len(typed(client)) == 6)
    found = document(client)
    assert found["openapi"].startswith("3.1.")
    operations = [each for path in found["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    for reference in set(re.findall(r'"\$ref": "#/(.*?)"', json.dumps(found))):
        at: Any = found
        for part in reference.split("/"):
            at = at[part]
    for path in typed(client):
        for content in _contents(found["paths"][path]["post"]):
            jsonschema_rs.meta.validate(content["schema"])
        answer = found["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
        validator = jsonschema_rs.validator_for({"$ref": "#/it", "it": answer["schema"], **found})
        assert [str(error) for error in validator.iter_errors(answer["example"])] == []
    # What is fixed is there as it was.
    fixed = json.loads(json.dumps(app.openapi()))
    assert {**found, "paths": {path: found["paths"][path] for path in fixed["paths"]}} == fixed


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation["requestBody"]["content"].values()
    for response in operation["responses"].values():
        yield from response["content"].values()


def test_the_document_follows_promotions_and_retirements_that_others_make(
    client: TestClient, platform: Platform
) -> None:
    data = platform.dataset()
    platform.train(data)
    eventually(lambda: typed(client) == ["/models/iris/dev/predict"])
    platform.promote(1, "staging")
    eventually(lambda: typed(client) == ["/models/iris/dev/predict", "/models/iris/staging/predict"])
    # A version with other columns.
    signature = numeric_signature("a", "b", "c", "d", classes=iris_forest().signature.classes)
    other = Fitted(iris_forest().model, signature, iris_forest().environment)
    platform.train(data, other)
    path = "/models/iris/dev/predict"

    def columns() -> list[str]:
        records = body_of(client, path)["schema"]["properties"]["input_data"]["properties"]["records"]
        return [*records["items"]["properties"]]

    eventually(lambda: columns() == ["a", "b", "c", "d"])
    assert "Version 2" in document(client)["paths"][path]["post"]["description"]
    record = body_of(client, path)["schema"]["properties"]["input_data"]["properties"]["records"]["items"]
    assert record["required"] == ["a", "b", "c", "d"]
    assert client.post("/models/1/retire", json={"stage": "staging"}).status_code == 200
    # The process that was asked knows at once.
    assert typed(client) == [path]
    with platform.database.write() as session:
        retire(session, version=2, stage="dev", reason=None, stages=platform.settings.stages)
    eventually(lambda: columns() == [*IRIS])


def test_nothing_is_asked_of_the_database_while_nothing_changes(
    client: TestClient, parts: Parts, platform: Platform, statements: list[str]
) -> None:
    platform.train(platform.dataset())
    eventually(lambda: typed(client) == ["/models/iris/dev/predict"])
    # The platform loads the model that the stage got, beside the requests and once.
    parts.serving.catch_up()

    def about_models() -> int:
        return sum("model_registry" in statement for statement in statements)

    def asked_for_documents() -> int:
        before = about_models()
        for _ in range(3):
            document(client)
        return about_models() - before

    eventually(lambda: asked_for_documents() == 0)
    assert asked_for_documents() == 0


def test_the_last_document_is_served_while_the_database_is_away(
    client: TestClient, platform: Platform, stack: Stack
) -> None:
    platform.train(platform.dataset())
    eventually(lambda: typed(client) == ["/models/iris/dev/predict"])
    with stack.without_database(platform.settings):
        assert typed(client) == ["/models/iris/dev/predict"]


def test_the_fixed_document_is_served_while_the_database_was_never_asked(
    app: FastAPI, client: TestClient, platform: Platform, stack: Stack
) -> None:
    platform.train(platform.dataset())
    with stack.without_database(platform.settings):
        assert document(client)["paths"].keys() == app.openapi()["paths"].keys()
    eventually(lambda: typed(client) == ["/models/iris/dev/predict"])


@pytest.mark.any_stack
def test_several_targets_are_told(client: TestClient, platform: Platform) -> None:
    data = platform.dataset()
    for target in ("first", "second"):
        platform.train(data, with_target(iris_forest(), target))
    eventually(lambda: "Version 2" in _described(client))
    assert "It predicts `second`" in _described(client)
    assert "`target` chooses" in _described(client)


def _described(client: TestClient) -> str:
    described: str = document(client)["paths"].get("/models/iris/dev/predict", {"post": {"description": ""}})["post"][
        "description"
    ]
    return described


@pytest.mark.any_stack
def test_a_wide_model_is_described_in_part(client: TestClient, platform: Platform) -> None:
    names = [f"column_{number}" for number in range(MOST_COLUMNS + 5)]
    signature = numeric_signature(*names, classes=["a", "b"])
    platform.train(platform.dataset(), Fitted(iris_forest().model, signature, iris_forest().environment))
    eventually(lambda: typed(client) == ["/models/iris/dev/predict"])
    record = body_of(client, "/models/iris/dev/predict")["schema"]["properties"]["input_data"]["properties"]["records"]
    assert len(record["items"]["properties"]) == MOST_COLUMNS
    assert record["items"]["additionalProperties"] is True
    assert f"Of its {MOST_COLUMNS + 5} columns the first {MOST_COLUMNS} are described" in _described(client)
    # The row is whole: the model would refuse one that lacks a column.
    (row,) = body_of(client, "/models/iris/dev/predict")["examples"]["row"]["value"]["input_data"]["records"]
    assert list(row) == names


def test_of_many_models_those_of_the_last_stages_are_described_and_the_others_told(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_MODELS", 2)
    for name in ("a", "b", "c"):
        platform.train(platform.dataset(name), name=name)
    platform.promote(3, "staging", name="c")
    eventually(lambda: typed(client) == ["/models/a/dev/predict", "/models/c/staging/predict"])
    assert "2 more places have models that this document does not describe" in document(client)["info"]["description"]
    monkeypatch.setattr(live, "MOST_MODELS", 100)
    monkeypatch.setattr(live, "MOST_COLUMNS", 9)
    platform.promote(1, "staging", name="a")
    eventually(lambda: typed(client) == ["/models/a/staging/predict", "/models/c/staging/predict"])
