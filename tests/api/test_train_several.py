"""POST /train with several models: what is accepted, what is refused, and the dry run."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.training.checks import libraries
from tests.support.training_requests import FOREST, body, model, refused

BAYES = model("naive_bayes", "GaussianNB")


def several(*models: Any, **changes: Any) -> dict[str, Any]:
    """A request of several models."""
    return body(model=None, models=list(models), **changes)


def test_several_models_are_accepted_as_one_job(client: TestClient) -> None:
    answer = client.post("/train", json=several(FOREST, BAYES))
    assert answer.status_code == 202, answer.text
    assert "model" not in answer.json()["request"]
    assert answer.json()["request"]["models"] == [FOREST, BAYES]
    assert len(client.get("/jobs").json()["items"]) == 1


def test_auto_is_resolved_into_models_so_that_the_request_stays_the_same(client: TestClient) -> None:
    classes = client.post("/train", json=body(model=None, models="auto")).json()["request"]["models"]
    numbers = body(model=None, models="auto", dataset_name="diabetes")
    amounts = client.post("/train?dry_run=true", json=numbers).json()["request"]["models"]
    assert [5 <= len(models) <= 8 for models in (classes, amounts)] == [True, True]
    assert {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 1000}} in classes
    assert {"module": "linear_model", "class": "Ridge", "params": {}} in amounts


@pytest.mark.parametrize(
    "changes", [{"models": [FOREST]}, {"model": None}, {"model": None, "models": None}, {"models": "auto"}]
)
def test_it_is_either_one_model_or_several(one_client: TestClient, changes: dict[str, Any]) -> None:
    problem = refused(one_client.post("/train", json=body(**changes)), 422, "invalid_request")
    assert "either in 'model', or in 'models'" in problem["detail"]


@pytest.mark.parametrize("models", [[], "all", [FOREST] * 21, [[]], 3])
def test_what_is_no_list_of_models_is_refused(one_client: TestClient, models: Any) -> None:
    refused(one_client.post("/train", json=body(model=None, models=models)), 422, "invalid_request")


def test_problems_of_a_model_name_its_place_and_what_all_share_is_told_once(one_client: TestClient) -> None:
    wanted = several(
        FOREST, model("ensemble", "RandomForrest"), model("svm", "SVC", C=-1), target_column="targt", features=["x"]
    )
    answer = one_client.post("/train?dry_run=true", json=wanted).json()
    assert answer["valid"] is False
    places = [error["loc"] for problem in answer["problems"] for error in problem["errors"]]
    assert sorted(map(str, places)) == sorted(
        map(
            str,
            [
                ["body", "target_column"],
                ["body", "features"],
                ["body", "models", 1],
                ["body", "models", 2, "params", "C"],
            ],
        )
    )
    problem = refused(one_client.post("/train", json=wanted), 422, answer["problems"][0]["code"])
    assert len(problem["errors"]) == len(places)


def test_models_of_two_tasks_cannot_be_ranked(one_client: TestClient) -> None:
    # Grades are numbers, which both can learn.
    rows = "".join(f"{number / 2},{number % 3}\n" for number in range(60))
    upload = {"file": ("grades.csv", f"points,grade\n{rows}".encode(), "text/csv")}
    assert one_client.post("/datasets/upload", files=upload).status_code in {200, 201}
    two_tasks = several(
        BAYES, model("linear_model", "Ridge"), dataset_name="grades", use_example=False, target_column="grade"
    )
    problem = refused(one_client.post("/train", json=two_tasks), 422, "task_mismatch")
    assert "linear_model.Ridge is for regression" in problem["detail"]
    assert problem["errors"][0]["loc"] == ["body", "models", 1]


def test_the_same_model_twice_is_refused(one_client: TestClient) -> None:
    problem = refused(one_client.post("/train", json=several(BAYES, FOREST, BAYES)), 422, "invalid_request")
    assert problem["errors"][0] == {"loc": ["body", "models", 2], "msg": problem["detail"]}


def test_auto_for_a_target_that_nothing_can_learn_says_why_once(one_client: TestClient) -> None:
    answer = one_client.post("/train?dry_run=true", json=body(model=None, models="auto", target_column="nobody")).json()
    assert [problem["code"] for problem in answer["problems"]] == ["unknown_column"]


def test_a_library_that_only_workers_have_is_no_part_of_auto_and_refused_at_its_place(
    one_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "release_of", {"xgboost": "3.2.0"}.get)
    answer = one_client.post("/train?dry_run=true", json=body(model=None, models="auto")).json()
    assert answer["valid"] is True
    modules = {each["module"] for each in answer["request"]["models"]}
    assert "xgboost" in modules
    assert modules.isdisjoint({"lightgbm", "catboost"})
    several_of_them = several(BAYES, model("lightgbm", "LGBMClassifier"))
    problem = refused(one_client.post("/train", json=several_of_them), 422, "library_not_installed")
    assert problem["errors"][0]["loc"][:3] == ["body", "models", 1]
    assert "which is not installed with the API" in problem["detail"]


def test_a_dry_run_tells_what_is_done_for_the_first_model(one_client: TestClient) -> None:
    answer = one_client.post("/train?dry_run=true", json=several(BAYES, FOREST)).json()
    assert (answer["valid"], len(answer["recipe"])) == (True, 4)
