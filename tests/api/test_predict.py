"""POST /predict: answers, and what is said about everything that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.parts import Parts
from tests.support.models import IRIS_COLUMNS, Platform, doubling, iris_forest, with_target
from tests.support.wilful_model import FAIL, wilful

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
BODY = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris in dev and a regression named doubling."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    return platform


def test_an_answer_has_the_labels_and_the_version_that_gave_them(
    one_client: TestClient, one_platform: Platform
) -> None:
    answer = one_client.post("/predict", json=BODY)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "dataset_name": "iris",
        "environment": "dev",
        "version": 1,
        "target": "target",
        "predictions": ["setosa", "virginica"],
        "warnings": [],
    }


@pytest.mark.any_stack
def test_records_are_rows_by_column_name(one_client: TestClient, one_platform: Platform) -> None:
    records = [dict(zip(reversed(IRIS_COLUMNS), reversed(row), strict=True)) for row in ROWS]
    answer = one_client.post("/predict", json=BODY | {"input_data": {"records": records}})
    assert answer.json()["predictions"] == ["setosa", "virginica"]


@pytest.mark.any_stack
def test_probabilities_come_with_their_classes(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.post("/predict", json=BODY | {"return": ["label", "probability"]}).json()
    assert answer["classes"] == ["setosa", "versicolor", "virginica"]
    assert [len(row) for row in answer["probabilities"]] == [3, 3]


@pytest.mark.any_stack
def test_a_regression_answers_with_numbers(one_client: TestClient, one_platform: Platform) -> None:
    body = BODY | {"dataset_name": "doubling", "input_data": {"features": [[4], [0.25]]}}
    assert one_client.post("/predict", json=body).json()["predictions"] == pytest.approx([8.0, 0.5])


def test_one_active_version_can_be_asked_for(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("other")
    for _ in range(2):
        platform.train(data, name="other")
    body = BODY | {"dataset_name": "other"}
    assert client.post("/predict", json=body | {"version": 3}).json()["version"] == 3
    assert client.post("/predict", json=body).json()["version"] == 4


def test_the_newest_version_of_a_target_can_be_asked_for(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("fish")
    species, weight, later = (
        platform.train(data, with_target(iris_forest(), target), name="fish")
        for target in ("species", "weight", "species")
    )
    body = BODY | {"dataset_name": "fish"}

    def answered(**more: Any) -> tuple[int, str, list[str]]:
        answer = client.post("/predict", json=body | more).json()
        return answer["version"], answer["target"], answer["warnings"]

    assert answered(target="weight") == (weight, "weight", [])
    assert answered(target="species") == (later, "species", [])
    assert answered(target="\u200bspecies") == (later, "species", [])
    assert answered(target="species", version=species) == (species, "species", [])
    assert answered(version=weight) == (weight, "weight", [])
    version, target, (warning,) = answered()
    assert (version, target) == (later, "species")
    assert warning == (
        f"Versions of several targets are active in 'dev': 'species', 'weight'. The newest version, {later}, answered, "
        "which predicts 'species'. Name the one that you mean as 'target'."
    )


def test_the_warning_of_several_targets_ends_with_them(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("fish")
    for target in ("species", "weight"):
        platform.train(data, with_target(iris_forest(), target), name="fish")
    body = BODY | {"dataset_name": "fish"}
    assert client.post("/predict", json=body).json()["warnings"]
    client.post("/models/3/retire", json={"stage": "dev"})
    assert client.post("/predict", json=body).json()["warnings"] == []


def test_a_target_that_nothing_active_predicts_names_those_that_are(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("fish")
    for target in ("species", "weight"):
        platform.train(data, with_target(iris_forest(), target), name="fish")
    body = BODY | {"dataset_name": "fish", "target": "specie"}
    problem = client.post("/predict", json=body).json()
    assert (problem["status"], problem["code"]) == (409, "no_active_model")
    assert problem["detail"] == (
        "No version of 'fish' that predicts 'specie' is active in 'dev'. Predicted there: 'weight' (version 4), "
        "'species' (version 3). Did you mean 'species'?"
    )
    for _ in range(2):
        problem = client.post("/predict", json=body | {"target": "weight", "version": 3}).json()
        assert (problem["status"], problem["code"]) == (409, "target_differs")
        assert "Version 3 of 'fish' predicts 'species', not 'weight'" in problem["detail"]
        assert problem["available"] == ["species"]
        assert client.post("/predict", json=body | {"target": "species", "version": 3}).status_code == 200


@pytest.mark.any_stack
@pytest.mark.parametrize("more", [{}, {"target": "target"}, {"version": 1}])
def test_a_warm_prediction_asks_the_database_nothing(
    client: TestClient, parts: Parts, platform: Platform, statements: list[str], more: dict[str, Any]
) -> None:
    client.post("/predict", json=BODY | more)
    # What has changed before is noticed before, too.
    parts.serving.catch_up()

    def asked() -> list[str]:
        statements.clear()
        assert client.post("/predict", json=BODY | more).status_code == 200
        return list(statements)

    # The thread that watches for changes asks four times a second, which is not at each of twenty predictions.
    assert [] in [asked() for _ in range(20)]


@pytest.mark.any_stack
def test_what_was_done_to_an_input_is_told_beside_its_predictions(
    one_client: TestClient, one_platform: Platform
) -> None:
    records = [dict(zip(IRIS_COLUMNS, ROWS[0], strict=True)) | {"target": "virginica"}]
    answer = one_client.post("/predict", json=BODY | {"input_data": {"records": records}})
    assert answer.status_code == 200
    assert answer.json()["predictions"] == ["setosa"]
    assert answer.json()["warnings"] == [
        "Column 'target' is what the model predicts: its values were ignored, in row 0."
    ]


WRONG: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "unknown dataset": ({"dataset_name": "irsi"}, 404, "unknown_dataset", "Did you mean 'iris'?"),
    "unknown environment": ({"environment": "prod"}, 422, "unknown_stage", "dev, staging, production"),
    "no model there": ({"environment": "staging"}, 409, "no_active_model", "POST /promote"),
    "version of another dataset": ({"version": 2}, 409, "not_active", "version 1 serves there"),
    "version that never was": ({"version": 77}, 409, "not_active", "version 1 serves there"),
    "version that is no number": ({"version": "1"}, 422, "invalid_request", "version"),
    "version that is too large": ({"version": 2**63}, 422, "invalid_request", "version"),
    "version zero": ({"version": 0}, 422, "invalid_request", "version"),
    "unknown field": ({"enviroment": "dev"}, 422, "invalid_request", "Did you mean 'environment'?"),
    "unknown field inside": ({"input_data": {"feature": ROWS}}, 422, "invalid_request", "Did you mean 'features'?"),
    "no input": ({"input_data": {}}, 422, "invalid_input", "'features'"),
    "both forms": ({"input_data": {"features": ROWS, "records": []}}, 422, "invalid_input", "either"),
    "no rows": ({"input_data": {"features": []}}, 422, "invalid_input", "at least one row"),
    "input that is a list": ({"input_data": ROWS}, 422, "invalid_request", "input_data"),
    "one row without brackets": ({"input_data": {"features": ROWS[0]}}, 422, "invalid_input", "[[...]]"),
    "too few values": ({"input_data": {"features": [[1, 2, 3]]}}, 422, "invalid_input", "3 values"),
    "too many values": ({"input_data": {"features": [[1, 2, 3, 4, 5]]}}, 422, "invalid_input", "5 values"),
    "a text for a number": ({"input_data": {"features": [[1, 2, 3, "4"]]}}, 422, "invalid_input", "the text '4'"),
    "a boolean for a number": ({"input_data": {"features": [[1, 2, 3, True]]}}, 422, "invalid_input", "true is not"),
    "a missing value": ({"input_data": {"features": [[1, 2, 3, None]]}}, 422, "missing_not_allowed", "petal_width"),
    "a column left out": ({"input_data": {"records": [{}]}}, 422, "missing_not_allowed", "sepal_length"),
    "an unknown column": ({"input_data": {"records": [{"petal": 1}]}}, 422, "invalid_input", "petal"),
    "a number too large for the model": (
        {"input_data": {"features": [[1e300, 1, 1, 1]]}},
        422,
        "invalid_input",
        "Column 'sepal_length' (number), row 0: 1e+300 is too large",
    ),
    "something else to return": ({"return": ["weights"]}, 422, "invalid_request", "return"),
    "probabilities of a regression": (
        {"dataset_name": "doubling", "return": ["probability"], "input_data": {"features": [[1]]}},
        422,
        "no_probabilities",
        "predicts numbers",
    ),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_is_refused(
    one_client: TestClient, one_platform: Platform, wrong: tuple[dict[str, Any], int, str, str]
) -> None:
    change, status, code, said = wrong
    answer = one_client.post("/predict", json=BODY | change)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in problem["detail"]


@pytest.mark.any_stack
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(one_client: TestClient, one_platform: Platform, number: str) -> None:
    text = ('{"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[1, 2, 3, NUMBER]]}}').replace(
        "NUMBER", number
    )
    answer = one_client.post("/predict", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_json"


@pytest.mark.any_stack
def test_every_wrong_cell_is_named_with_its_place(one_client: TestClient, one_platform: Platform) -> None:
    features = [[1, "b", 3, 4], [1, 2, 3, 4], [None, 2, True, 4]]
    problem = one_client.post("/predict", json=BODY | {"input_data": {"features": features}}).json()
    assert [problem["loc"] for problem in problem["errors"]] == [
        ["body", "input_data", "features", row, column] for row, column in ((0, 1), (2, 0), (2, 2))
    ]


@pytest.mark.any_stack
def test_an_error_of_the_model_is_not_blamed_on_the_client(client: TestClient, platform: Platform) -> None:
    platform.train(platform.dataset("wilful"), wilful(), name="wilful")
    with capture_logs() as logs:
        answer = client.post("/predict", json=BODY | {"dataset_name": "wilful", "input_data": {"features": [[FAIL]]}})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "nothing like it" not in answer.text
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["request_failed"]


@pytest.mark.any_stack
def test_more_cells_than_allowed_are_too_large(one_client: TestClient, one_platform: Platform) -> None:
    rows = [[1, 2, 3, 4]] * (one_platform.settings.predict_max_cells // 4 + 1)
    answer = one_client.post("/predict", json=BODY | {"input_data": {"features": rows}})
    assert answer.status_code == 413
    assert "several requests" in answer.json()["detail"]


def test_a_tampered_model_is_unavailable_and_says_why(client: TestClient, platform: Platform) -> None:
    platform.overwrite("iris_model_dev_v1.pkl", lambda data: data[:-1] + b"!")
    answer = client.post("/predict", json=BODY)
    assert answer.status_code == 503
    assert answer.json()["code"] == "model_unavailable"
    assert "other contents" in answer.json()["detail"]


@pytest.mark.any_stack
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/html"])
def test_another_content_type_is_refused(one_client: TestClient, one_platform: Platform, content_type: str) -> None:
    answer = one_client.post("/predict", content=b"{}", headers={"content-type": content_type})
    assert answer.status_code == 415
