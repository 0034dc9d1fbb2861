"""GET /estimators."""

import pytest
from fastapi.testclient import TestClient

pytestmark = pytest.mark.any_stack


def test_the_list_comes_in_pages_with_parameters_and_what_they_may_be(client: TestClient) -> None:
    seen, cursor = [], None
    while True:
        page = client.get("/estimators", params={"limit": 40, **({"cursor": cursor} if cursor else {})}).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    names = [f"{estimator['module']}.{estimator['class']}" for estimator in seen]
    assert names == sorted(set(names))
    assert len(names) > 70
    forest = seen[names.index("ensemble.RandomForestClassifier")]
    parameters = {parameter["name"]: parameter for parameter in forest["parameters"]}
    assert parameters["n_estimators"]["default"] == 100
    assert parameters["n_estimators"]["allowed"] == [{"type": "integer", "minimum": 1, "maximum": 10_000}]
    assert "n_jobs" not in parameters


def test_the_list_can_be_narrowed(client: TestClient) -> None:
    items = client.get("/estimators", params={"task": "regression", "module": "tree"}).json()["items"]
    assert [estimator["class"] for estimator in items] == ["DecisionTreeRegressor", "ExtraTreeRegressor"]
    assert client.get("/estimators", params={"module": "os"}).json()["items"] == []
    assert client.get("/estimators", params={"task": "clustering"}).status_code == 422


def test_one_estimator_is_described(client: TestClient) -> None:
    answer = client.get("/estimators/linear_model/LogisticRegression")
    assert answer.status_code == 200
    assert answer.json()["task"] == "classification"
    assert answer.json()["needs_scaling"] is True


def test_what_takes_a_model_says_of_which_task_and_how_it_is_written(client: TestClient) -> None:
    described = client.get("/estimators/ensemble/StackingRegressor").json()
    parameters = {parameter["name"]: parameter for parameter in described["parameters"]}
    taking = {name: (each["takes_model"], each["required"]) for name, each in parameters.items()}
    assert taking == {
        "cv": (None, False),
        "estimators": ("regression", True),
        "final_estimator": ("regression", False),
        "passthrough": (None, False),
    }
    model, nothing = parameters["final_estimator"]["allowed"]
    assert (model["x-model"], model["required"], nothing) == ("regression", ["module", "class"], {"type": "null"})
    (models,) = parameters["estimators"]["allowed"]
    assert models["items"]["prefixItems"][1] == model


def test_an_estimator_that_is_not_listed_is_not_found(client: TestClient) -> None:
    answer = client.get("/estimators/ensemble/RandomForest")
    assert answer.status_code == 404
    assert answer.json()["code"] == "estimator_not_listed"
    assert "Did you mean 'ensemble.RandomForestRegressor'?" in answer.json()["detail"]
