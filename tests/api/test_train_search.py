"""POST /train with a search for parameters: what is accepted, and what is refused with the place of the field."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from shared.estimators.libraries import installed
from tests.support.training_requests import FOREST, body, model, refused

SPACE = {"max_depth": [None, 2, 4], "min_samples_leaf": {"low": 1, "high": 20, "log": True}}


def search(method: str = "random", **fields: Any) -> dict[str, Any]:
    """A request with a search; the model is a forest of defaults."""
    changes = {name: fields.pop(name) for name in ("model", "models", "limits") if name in fields}
    return body(**{"model": model(), **changes}, search={"method": method, **fields})


def test_a_search_is_accepted_with_all_that_it_leaves_open_filled_in(client: TestClient) -> None:
    answer = client.post("/train", json=search(space=SPACE))
    assert answer.status_code == 202, answer.text
    assert answer.json()["request"]["search"] == {
        "method": "random",
        "space": {**SPACE, "min_samples_leaf": {"low": 1, "high": 20, "log": True, "int": True}},
        "trials": 30,
        "metric": "accuracy",
        "time_limit": None,
    }


def test_the_usual_space_is_named_without_what_the_request_sets_itself(one_client: TestClient) -> None:
    wanted = search("halving", model=model(max_depth=3), trials=9, metric="log_loss", time_limit=60)
    answer = one_client.post("/train?dry_run=true", json=wanted).json()
    assert answer["valid"], answer
    sought = answer["request"]["search"]
    assert set(sought["space"]) == {"max_features", "min_samples_leaf", "n_estimators"}
    assert (sought["trials"], sought["metric"], sought["time_limit"]) == (9, "log_loss", 60)


def test_a_grid_without_a_space_is_made_of_the_two_parameters_that_matter_most(one_client: TestClient) -> None:
    answer = one_client.post("/train?dry_run=true", json=search("grid")).json()["request"]["search"]
    assert {name: len(points) for name, points in answer["space"].items()} == {
        "max_features": 4,
        "min_samples_leaf": 4,
    }
    assert answer["trials"] == 16


def test_a_request_without_a_search_stays_as_it_was(one_client: TestClient) -> None:
    assert "search" not in one_client.post("/train?dry_run=true", json=body()).json()["request"]


@pytest.mark.parametrize("models", ["auto", [FOREST]])
def test_a_search_is_for_one_model(one_client: TestClient, models: Any) -> None:
    problem = refused(one_client.post("/train", json=search(model=None, models=models)), 422, "invalid_request")
    assert "'search' looks for parameters of one 'model'" in problem["detail"]


REFUSED: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "a metric that there is not": ({"metric": "acuracy"}, ["metric"], "Did you mean 'accuracy'?"),
    "a name of scikit-learn": ({"metric": "neg_log_loss"}, ["metric"], "Did you mean 'log_loss'?"),
    "a metric of numbers": ({"metric": "rmse"}, ["metric"], "no metric of classification"),
    "a metric of probabilities": (
        {"metric": "log_loss", "model": model("svm", "LinearSVC")},
        ["metric"],
        "gives no probabilities",
    ),
    "no trials": ({"trials": 0}, ["trials"], "from 1 to 1,000"),
    "too many trials": ({"trials": 1001}, ["trials"], "from 1 to 1,000"),
    "no time": ({"time_limit": 0}, ["time_limit"], "above 0"),
    "less than no time": ({"time_limit": -1}, ["time_limit"], "above 0"),
    "more time than the job has": (
        {"time_limit": 11, "limits": {"seconds": 10}},
        ["time_limit"],
        "the whole job may take 10 s",
    ),
    "an empty space": ({"space": {}}, ["space"], "is empty"),
    "an empty list": ({"space": {"max_depth": []}}, ["space", "max_depth"], "empty list"),
    "too long a list": ({"space": {"max_depth": list(range(1, 102))}}, ["space", "max_depth"], "100 are the most"),
    "too long lists": (
        {"space": {name: list(range(1, 100)) for name in "abcdefghijk"}},
        ["space"],
        "1,089 choices",
    ),
    "a bare value": ({"space": {"max_depth": 3}}, ["space", "max_depth"], "Write a list of choices, such as [3]"),
    "an unknown parameter": (
        {"space": {"max_dept": [1]}},
        ["space", "max_dept"],
        "Did you mean 'max_depth'?",
    ),
    "a forbidden parameter": ({"space": {"n_jobs": [1, 2]}}, ["space", "n_jobs"], "cannot be set"),
    "a choice that is not allowed": ({"space": {"criterion": ["gini", "best"]}}, ["space", "criterion"], '"best"'),
    "a model inside of none": ({"space": {"estimator__C": [1]}}, ["space", "estimator__C"], "no model 'estimator'"),
    "an end that is not allowed": (
        {"space": {"max_depth": {"low": 0, "high": 4}}},
        ["space", "max_depth"],
        "at least 1",
    ),
    "an inner number that is not allowed": (
        {"space": {"min_samples_leaf": {"low": 1.0, "high": 2.5}}},
        ["space", "min_samples_leaf"],
        '"int": true',
    ),
    "ends in the wrong order": (
        {"space": {"max_depth": {"low": 4, "high": 2}}},
        ["space", "max_depth"],
        "must not be above",
    ),
    "a logarithm of nothing": (
        {"space": {"ccp_alpha": {"low": 0, "high": 1, "log": True}}},
        ["space", "ccp_alpha"],
        "must be above 0",
    ),
    "half a range": ({"space": {"max_depth": {"low": 1}}}, ["space", "max_depth"], "no 'high'"),
    "more than a range": (
        {"space": {"max_depth": {"low": 1, "high": 2, "step": 1}}},
        ["space", "max_depth"],
        "'step'",
    ),
    "an end that is no number": (
        {"space": {"max_depth": {"low": True, "high": 2}}},
        ["space", "max_depth"],
        "must be a number",
    ),
    "a mark that is no mark": (
        {"space": {"max_depth": {"low": 1, "high": 2, "log": "yes"}}},
        ["space", "max_depth"],
        "true or false",
    ),
    "whole numbers between broken ends": (
        {"space": {"ccp_alpha": {"low": 0.5, "high": 2, "int": True}}},
        ["space", "ccp_alpha"],
        "whole numbers",
    ),
    "an estimator without a usual space": (
        {"model": model("naive_bayes", "GaussianNB")},
        ["space"],
        "Write one as 'search.space'",
    ),
    "a class that the target does not have": (
        {
            "model": model("linear_model", "LogisticRegression"),
            "space": {"class_weight": [None, {"setosa": 2}, {"setoza": 2}]},
        },
        ["space", "class_weight"],
        "'setoza', which is not a class of the target. It has: setosa,",
    ),
    "what is for two classes, in a model inside": (
        {
            "model": model("ensemble", "BaggingClassifier", estimator=model("linear_model", "LogisticRegression")),
            "space": {"estimator__solver": ["lbfgs", "liblinear"]},
        },
        ["space", "estimator__solver"],
        "for two classes only",
    ),
    "too much work": (
        {"space": {"n_estimators": [10, 10**7]}},
        ["space", "n_estimators"],
        "at most 10000",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_with_a_search_is_told_at_its_place(one_client: TestClient, case: str) -> None:
    fields, place, told = REFUSED[case]
    answer = one_client.post("/train", json=search(**fields))
    problem = refused(answer, 422, answer.json()["code"])
    assert [error["loc"] for error in problem["errors"]] == [["body", "search", *place]]
    assert told in problem["detail"]


GRIDS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "a range": (
        {"space": {"max_depth": {"low": 1, "high": 9}}},
        ["space", "max_depth"],
        "Write the points, such as [1, 4, 6, 9]",
    ),
    "more points than trials": (
        {"space": {"max_depth": [1, 2, 3]}, "trials": 2},
        ["space"],
        "raise 'search.trials'",
    ),
    "too many points": (
        {"space": {name: list(range(2, 42)) for name in ("max_depth", "min_samples_split")}},
        ["space"],
        "1,600 points",
    ),
    "no trials": ({"space": {"max_depth": [1]}, "trials": 0}, ["trials"], "may be left out"),
}


@pytest.mark.parametrize("case", GRIDS)
def test_a_grid_is_made_of_lists_that_are_not_too_long(one_client: TestClient, case: str) -> None:
    fields, place, told = GRIDS[case]
    problem = refused(one_client.post("/train", json=search("grid", **fields)), 422, "invalid_search")
    assert problem["errors"][0]["loc"] == ["body", "search", *place]
    assert told in problem["detail"]


def test_every_problem_of_a_space_is_told_at_once(one_client: TestClient) -> None:
    wanted = search(space={"max_dept": [1], "n_jobs": [2], "max_features": []}, metric="mae")
    answer = one_client.post("/train?dry_run=true", json=wanted).json()
    places = [error["loc"][2:] for problem in answer["problems"] for error in problem["errors"]]
    assert places == [["metric"], ["space", "max_dept"], ["space", "n_jobs"], ["space", "max_features"]]


@pytest.mark.parametrize("fields", [{"method": "luck"}, {"space": [1]}, {"trials": "many"}, {"trails": 3}])
def test_what_is_no_search_is_refused(one_client: TestClient, fields: dict[str, Any]) -> None:
    problem = refused(one_client.post("/train", json=search(**fields)), 422, "invalid_request")
    assert problem["errors"][0]["loc"][:2] == ["body", "search"]


def test_optuna_is_refused_where_it_is_not_installed(one_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.training.checks.search.release_of", lambda _name: None)
    problem = refused(one_client.post("/train", json=search("optuna")), 422, "library_not_installed")
    assert problem["errors"][0]["loc"] == ["body", "search", "method"]
    assert "`make optuna`" in problem["detail"]
    assert installed.release_of("optuna"), "the environment of the tests has it"
