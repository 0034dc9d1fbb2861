"""POST /train: what cannot be trained is told cleanly."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.training_requests import FOREST, body, model, refused, upload_customers

pytestmark = pytest.mark.any_stack


@pytest.fixture
def customers(one_client: TestClient, tmp_path: Path) -> str:
    """The name of an uploaded dirty table."""
    return upload_customers(one_client, tmp_path)


BAD: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "no such example": ({"dataset_name": "irs"}, 404, "unknown_example", "Did you mean 'iris'?"),
    "a word for a truth": (
        {"preprocessing": {"sepal_length": {"drop": "yes"}}},
        422,
        "invalid_request",
        "'yes'",
    ),
    "no such dataset": (
        {"dataset_name": "nowhere", "use_example": False, "target_column": "y"},
        404,
        "unknown_dataset",
        "There is no dataset 'nowhere'",
    ),
    "a misspelled target": ({"target_column": "targt"}, 422, "unknown_column", "Did you mean 'target'?"),
    "an unknown target": ({"target_column": "zzz"}, 422, "unknown_column", "It has: sepal"),
    "an unknown feature": ({"features": ["petal_lenght"]}, 422, "unknown_column", "Did you mean 'petal_length'?"),
    "the target as feature": ({"features": ["target"]}, 422, "invalid_request", "cannot be one of the inputs"),
    "a feature twice": ({"features": ["petal_width"] * 2}, 422, "invalid_request", "named twice"),
    "no features": ({"features": []}, 422, "invalid_request", "Name a column"),
    "a misspelled class": ({"model": model(name="RandomForrest")}, 422, "unknown_estimator", "Did you mean"),
    "the wrong module": ({"model": model("svm")}, 422, "unknown_estimator", "in the module 'ensemble'"),
    "a host without inner estimators": (
        {"model": model(name="VotingClassifier")},
        422,
        "invalid_parameter",
        "needs 'estimators'",
    ),
    "a selection of columns": ({"model": model("feature_selection", "RFE")}, 422, "unknown_estimator", "'features'"),
    "a module of Python": ({"model": model("os", "system")}, 422, "unknown_estimator", "GET /estimators"),
    "dots as module": ({"model": model("..", "..")}, 422, "unknown_estimator", "no estimator"),
    "a dunder module": ({"model": model("ensemble.__init__")}, 422, "unknown_estimator", "module 'ensemble'"),
    "a private module": (
        {"model": model("linear_model.._base", "LinearRegression")},
        422,
        "unknown_estimator",
        "'linear_model.LinearRegression'",
    ),
    "a dunder class": ({"model": model("ensemble", "__class__")}, 422, "unknown_estimator", "no estimator"),
    "a list as class": ({"model": model("ensemble", ["a"])}, 422, "invalid_request", "model.class"),
    "a number as module": ({"model": model(5)}, 422, "invalid_request", "model.module"),
    "a list as parameters": ({"model": {**FOREST, "params": [1]}}, 422, "invalid_request", "model.params"),
    "a text as model": ({"model": "RandomForestClassifier"}, 422, "invalid_request", "model"),
    "a misspelled parameter": ({"model": model(n_estimator=5)}, 422, "unknown_parameter", "'n_estimators'"),
    "a billion trees": ({"model": model(n_estimators=10**9)}, 422, "invalid_parameter", "at most 10000"),
    "a text as number": ({"model": model(n_estimators="5")}, 422, "invalid_parameter", "The default is 100"),
    "a path of parameters": ({"model": model(estimator__max_depth=5)}, 422, "unknown_parameter", "inner"),
    "a memory folder": ({"model": model(memory="/etc")}, 422, "invalid_parameter", "files on the server"),
    "threads": ({"model": model(n_jobs=64)}, 422, "invalid_parameter", "the server sets it"),
    "a nested estimator": (
        {"model": model("ensemble", "AdaBoostClassifier", estimator=model("neighbors", "KNeighborsClassifier"))},
        422,
        "invalid_parameter",
        "must take a weight for each row",
    ),
    "a regressor for classes": ({"model": model("linear_model", "Ridge")}, 422, "task_mismatch", "Use a classifier"),
    "a classifier for amounts": ({"dataset_name": "diabetes"}, 422, "task_mismatch", "Use a regressor"),
    "a split that leaves nothing": ({"test_size": 0.999}, 422, "invalid_split", "leaves 0 to fit"),
    "a share of one": ({"test_size": 1}, 422, "invalid_split", "above 0 and below 1"),
    "a share of zero": ({"test_size": 0.0}, 422, "invalid_split", "above 0 and below 1"),
    "a negative share": ({"test_size": -1e300}, 422, "invalid_split", "above 0 and below 1"),
    "a share as text": ({"test_size": "0.2"}, 422, "invalid_request", "test_size"),
    "a negative seed": ({"random_state": -1}, 422, "invalid_request", "random_state"),
    "a huge seed": ({"random_state": 2**32}, 422, "invalid_request", "random_state"),
    "an unknown field": ({"target": "y"}, 422, "invalid_request", "Did you mean"),
    "an unknown field inside": ({"model": {**FOREST, "klass": 1}}, 422, "invalid_request", "Did you mean 'class'?"),
    "a version of an example": ({"dataset_version": 1}, 422, "invalid_request", "leave out 'dataset_version'"),
    "a solver without that penalty": (
        {"model": model("linear_model", "LogisticRegression", l1_ratio=1)},
        422,
        "invalid_parameter",
        "Use 'saga'",
    ),
    "more neighbours than rows": (
        {"model": model("neighbors", "KNeighborsClassifier", n_neighbors=121)},
        422,
        "invalid_parameter",
        "At most 120 will do",
    ),
    "a weight for no class": (
        {"model": model(class_weight={"virginca": 2})},
        422,
        "invalid_parameter",
        "It has: setosa, versicolor, virginica",
    ),
    "no name": ({"dataset_name": None}, 422, "invalid_request", "dataset_name"),
    "no model": ({"model": None}, 422, "invalid_request", "model"),
}


@pytest.mark.asvs("2.2.1", "2.2.2", "2.2.3")
@pytest.mark.parametrize(("changes", "status", "code", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_refused_and_no_job_is_made(
    *, one_client: TestClient, changes: dict[str, Any], status: int, code: str, said: str
) -> None:
    problem = refused(one_client.post("/train", json=body(**changes)), status, code)
    assert said in problem["detail"]
    assert one_client.get("/jobs").json()["items"] == []


def test_a_target_must_be_named_unless_it_is_an_example(one_client: TestClient, customers: str) -> None:
    problem = refused(
        one_client.post("/train", json=body(dataset_name=customers, use_example=False)), 422, "invalid_request"
    )
    assert "'target_column' is required" in problem["detail"]
    assert "customer_id, age, city" in problem["detail"]


def test_an_unknown_version_is_refused(one_client: TestClient, customers: str) -> None:
    wanted = body(dataset_name=customers, use_example=False, target_column="target", dataset_version=2)
    refused(one_client.post("/train", json=wanted), 404, "unknown_dataset_version")


@pytest.mark.asvs("1.4.2")
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(one_client: TestClient, number: str) -> None:
    text = json.dumps(body()).replace('"n_estimators": 5', f'"max_samples": {number}')
    answer = one_client.post("/train", content=text, headers={"content-type": "application/json"})
    refused(answer, 422, "invalid_json")


@pytest.mark.parametrize("depth", [50, 10_000])
def test_deep_nesting_is_refused(one_client: TestClient, depth: int) -> None:
    inner = '{"module": "svm", "class": "SVC"}'
    text = json.dumps(body(model=model("ensemble", "BaggingClassifier", estimator="HERE")))
    nested = '{"class": "BaggingClassifier", "estimator": ' * depth + inner + "}" * depth
    answer = one_client.post(
        "/train", content=text.replace('"HERE"', nested), headers={"content-type": "application/json"}
    )
    refused(answer, 422, "invalid_parameter" if depth == 50 else "invalid_json")


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("target", ["constant", "nothing"])
def test_a_target_with_one_class_is_refused(one_client: TestClient, target: str) -> None:
    rows = "\n".join(f"{number},same," for number in range(30))
    file = ("one.csv", f"x,constant,nothing\n{rows}\n".encode(), "text/csv")
    assert one_client.post("/datasets/upload", files={"file": file}).is_success
    wanted = body(dataset_name="one", use_example=False, target_column=target)
    answer = one_client.post("/train", json=wanted)
    if target == "constant":
        assert "one class only" in refused(answer, 422, "single_class")["detail"]
    else:
        assert "'nothing' has no value in any row" in refused(answer, 422, "invalid_split")["detail"]


def test_all_problems_are_told_at_once(one_client: TestClient) -> None:
    wanted = body(test_size=2, features=["nope", "target"], model=model(n_estimators=0, n_jobs=2))
    problem = refused(one_client.post("/train", json=wanted), 422, "invalid_parameter")
    assert "(4 more in 'errors'.)" in problem["detail"]
    assert [problem["loc"] for problem in problem["errors"]] == [
        ["body", "model", "params", "n_estimators"],
        ["body", "model", "params", "n_jobs"],
        ["body", "features"],
        ["body", "features"],
        ["body", "test_size"],
    ]


def test_a_rehearsal_shows_what_was_sent_as_text_that_can_be_printed(one_client: TestClient) -> None:
    sent = body(dataset_name="\x1f" + "a" * 300)
    (problem,) = one_client.post("/train?dry_run=true", json=sent).json()["problems"]
    assert problem["detail"] == one_client.post("/train", json=sent).json()["detail"]
    assert problem["detail"].startswith("There is no example '\\x1faaaa")
