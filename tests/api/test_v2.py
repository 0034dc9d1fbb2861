"""The Open Inference Protocol in JSON: what is there, what a model takes, and predictions."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.errors import DatabaseUnavailable
from tests.support.models import IRIS_COLUMNS, Platform, doubling, iris_forest, with_target
from tests.support.stack import Stack

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
FLAT = [5.1, 3.5, 1.4, 0.2, 6.2, 3.4, 5.4, 2.3]
WHOLE = {"name": "rows", "shape": [2, 4], "datatype": "FP64", "data": FLAT}
INFER = "/v2/models/iris@dev/infer"


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris in every stage, and a newer one in dev; a regression named doubling in dev."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data = platform.dataset()
    platform.train(data)
    for stage in ("staging", "production"):
        platform.promote(1, stage)
    platform.train(data, iris_forest(seed=1))
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    return platform


@pytest.fixture
def v2(one_client: TestClient, one_platform: Platform) -> TestClient:
    """A client of the furnished application."""
    return one_client


def columns(shape: list[int], rows: list[list[float]] = ROWS) -> list[dict[str, Any]]:
    """One tensor for each column."""
    cells = zip(IRIS_COLUMNS, zip(*rows, strict=True), strict=True)
    return [{"name": name, "shape": shape, "datatype": "FP64", "data": list(values)} for name, values in cells]


def infer(client: TestClient, path: str = INFER, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json={"inputs": [WHOLE]} | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.any_stack
def test_the_server_names_itself_and_its_extensions(v2: TestClient) -> None:
    found = v2.get("/v2").json()
    assert found["name"] == "ml-mini-platform"
    assert found["version"] == v2.get("/version").json()["platform"]
    assert "binary_tensor_data" in found["extensions"]


def test_the_server_is_live_and_ready(v2: TestClient) -> None:
    assert v2.get("/v2/health/live").json() == {"live": True}
    assert v2.get("/v2/health/ready").json() == {"ready": True}


def test_the_metadata_has_the_columns_with_their_types_and_the_outputs(v2: TestClient) -> None:
    found = v2.get("/v2/models/iris").json()
    assert (found["name"], found["versions"], found["platform"]) == ("iris", ["1"], "sklearn")
    assert [(each["name"], each["datatype"], each["shape"]) for each in found["inputs"]] == [
        (name, "FP64", [-1]) for name in IRIS_COLUMNS
    ]
    assert [(each["name"], each["datatype"], each["shape"]) for each in found["outputs"]] == [
        ("predict", "BYTES", [-1]),
        ("predict_proba", "FP64", [-1, 3]),
    ]
    assert found["outputs"][1]["parameters"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert "[-1, 4]" in found["parameters"]["one_tensor"]
    assert (found["parameters"]["environment"], found["parameters"]["target"]) == ("production", "target")


@pytest.mark.any_stack
def test_a_regression_has_no_output_of_probabilities(v2: TestClient) -> None:
    outputs = v2.get("/v2/models/doubling@dev").json()["outputs"]
    assert [(each["name"], each["datatype"]) for each in outputs] == [("predict", "FP64")]


def test_the_metadata_of_a_version_is_that_of_the_version(v2: TestClient) -> None:
    found = v2.get("/v2/models/iris@dev/versions/1").json()
    assert (found["versions"], found["parameters"]["version"]) == (["2", "1"], "1")


def test_metadata_of_a_model_in_memory_needs_no_database(
    v2: TestClient, one_parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert v2.get("/v2/models/iris@dev").json()["versions"] == ["2", "1"]

    def away() -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(one_parts.database, "read", away)
    assert v2.get("/v2/models/iris@dev").json()["versions"] == ["2"]


@pytest.mark.parametrize("path", ["iris", "iris@staging", "iris/versions/1", "iris@dev/versions/2", "doubling@dev"])
def test_active_models_are_ready(v2: TestClient, path: str) -> None:
    assert v2.get(f"/v2/models/{path}/ready").json() == {"name": path.partition("/")[0], "ready": True}


@pytest.mark.parametrize(
    ("path", "status"), [("iriss", 404), ("doubling", 409), ("iris/versions/2", 409), ("iris/versions/x", 404)]
)
def test_other_models_are_not_ready(v2: TestClient, path: str, status: int) -> None:
    for part in ("", "/ready"):
        answer = v2.get(f"/v2/models/{path}{part}")
        assert answer.status_code == status
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("body", [None, {}, {"ready": True}])
def test_the_index_lists_what_is_active(v2: TestClient, body: Any) -> None:
    answer = v2.post("/v2/repository/index", json=body) if body is not None else v2.post("/v2/repository/index")
    assert [(each["name"], each["version"]) for each in answer.json()] == [
        ("doubling@dev", "3"),
        ("iris@dev", "2"),
        ("iris@dev", "1"),
        ("iris", "1"),
        ("iris@staging", "1"),
    ]
    assert {each["state"] for each in answer.json()} == {"READY"}
    for each in answer.json():
        assert v2.get(f"/v2/models/{each['name']}/versions/{each['version']}/ready").status_code == 200


def test_an_answer_has_the_labels_and_what_gave_them(v2: TestClient) -> None:
    assert infer(v2, id="42") == {
        "id": "42",
        "model_name": "iris@dev",
        "model_version": "2",
        "parameters": {"environment": "dev", "target": "target"},
        "outputs": [{"name": "predict", "shape": [2], "datatype": "BYTES", "data": ["setosa", "virginica"]}],
    }


def test_the_environment_stands_in_the_name_or_in_the_query(v2: TestClient) -> None:
    assert infer(v2, "/v2/models/iris/infer")["parameters"]["environment"] == "production"
    assert infer(v2, "/v2/models/iris/infer?environment=staging")["parameters"]["environment"] == "staging"
    assert infer(v2, "/v2/models/iris@staging/infer?environment=staging")["model_version"] == "1"
    answer = v2.post("/v2/models/iris@staging/infer?environment=dev", json={"inputs": [WHOLE]})
    assert answer.status_code == 400
    assert "names two environments, 'staging' and 'dev'" in answer.json()["error"]


def test_one_active_version_can_be_asked_for_by_its_address(v2: TestClient) -> None:
    path = "/v2/models/iris@dev/versions/1/infer"
    assert infer(v2, path, model_name="iris", model_version="1")["model_version"] == "1"
    for other in ({"model_name": "wine"}, {"model_version": "2"}):
        assert v2.post(path, json={"inputs": [WHOLE]} | other).status_code == 400
    assert v2.post(INFER, json={"inputs": [WHOLE], "model_version": "1"}).status_code == 400


@pytest.mark.any_stack
@pytest.mark.parametrize(
    "inputs",
    [
        [WHOLE | {"data": ROWS}],
        [WHOLE | {"name": "sepal_length"}],
        [WHOLE | {"datatype": "FP32"}],
        columns([2]),
        columns([2, 1]),
        list(reversed(columns([2]))),
        [{**tensor, "data": [[value] for value in tensor["data"]]} for tensor in columns([2, 1])],
    ],
)
def test_all_forms_of_the_rows_mean_the_same(v2: TestClient, inputs: list[dict[str, Any]]) -> None:
    outputs = [{"name": "predict_proba"}, {"name": "predict"}]
    assert infer(v2, inputs=inputs, outputs=outputs)["outputs"] == infer(v2, outputs=outputs)["outputs"]


@pytest.mark.any_stack
def test_outputs_come_as_they_are_asked_for(v2: TestClient) -> None:
    proba, labels = infer(v2, outputs=[{"name": "predict_proba"}, {"name": "predict"}])["outputs"]
    assert (proba["name"], proba["shape"], proba["datatype"]) == ("predict_proba", [2, 3], "FP64")
    asked = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    known = v2.post("/predict", json=asked | {"return": ["label", "probability"]}).json()
    assert proba["data"] == [share for row in known["probabilities"] for share in row]
    assert labels["data"] == known["predictions"]


@pytest.mark.any_stack
@pytest.mark.parametrize("datatype", ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16"])
def test_numbers_may_be_of_any_type_of_numbers(v2: TestClient, datatype: str) -> None:
    tensor = {"name": "x", "shape": [2], "datatype": datatype, "data": [4, 7]}
    (output,) = infer(v2, "/v2/models/doubling@dev/infer", inputs=[tensor])["outputs"]
    assert output["datatype"] == "FP64"
    assert output["data"] == pytest.approx([8.0, 14.0])


@pytest.mark.any_stack
def test_parameters_and_nulls_of_other_clients_are_taken(v2: TestClient) -> None:
    tensor = WHOLE | {"parameters": {"content_type": "np", "headers": None}}
    more: dict[str, Any] = {
        "id": None,
        "outputs": None,
        "parameters": {"content_type": "pd", "priority": 1, "timeout": 5},
    }
    assert "id" not in infer(v2, inputs=[tensor], **more)


@pytest.mark.any_stack
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}])
def test_the_type_of_the_body_need_not_be_told(v2: TestClient, headers: dict[str, str]) -> None:
    content = b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [4.0]}]}'
    answer = v2.post("/v2/models/doubling@dev/infer", content=content, headers=headers)
    assert answer.json()["outputs"][0]["data"] == pytest.approx([8.0])


@pytest.mark.any_stack
def test_a_column_that_is_left_out_is_told_of(client: TestClient, parts: Parts, tmp_path: Path) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    fitted = iris_forest()
    columns_of = [column.model_copy(update={"missing_allowed": True}) for column in fitted.signature.inputs]
    signature = fitted.signature.model_copy(update={"inputs": columns_of})
    platform.train(platform.dataset(), type(fitted)(fitted.model, signature, fitted.environment))
    target = {"name": "target", "shape": [2], "datatype": "BYTES", "data": ["setosa", "setosa"]}
    answer = infer(client, inputs=[*columns([2])[:3], target])
    assert answer["parameters"]["warnings"].splitlines() == [
        "The input 'target' is what the model predicts: it was ignored.",
        "The inputs lack petal_width: the values there are taken as missing.",
    ]


def test_the_target_chooses_among_versions_of_several(client: TestClient, parts: Parts, tmp_path: Path) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    data = platform.dataset()
    for target in ("species", "weight"):
        platform.train(data, with_target(iris_forest(), target))
    assert "several targets" in infer(client)["parameters"]["warnings"]
    chosen = infer(client, f"{INFER}?target=species")
    assert (chosen["model_version"], chosen["parameters"]) == ("1", {"environment": "dev", "target": "species"})
    assert client.get("/v2/models/iris@dev?target=species").json()["parameters"]["target"] == "species"


def test_the_server_is_not_ready_without_its_store(client: TestClient, parts: Parts, stack: Stack) -> None:
    with stack.without_store(parts.settings):
        answer = client.get("/v2/health/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "object_store" in answer.json()["error"]
