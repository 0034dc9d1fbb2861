"""Requests to train that were right before something happened to them: checked whole, and accepted or refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given

from api.docs.requests import BODIES
from tests.support.mutated import bytes_near, effort, values_near
from tests.support.nested import model
from tests.support.training_requests import body, upload_customers

pytestmark = pytest.mark.any_stack

_TREE = model("tree.DecisionTreeClassifier", max_depth=3)
_NESTED = [
    model("ensemble.BaggingClassifier", estimator=_TREE, n_estimators=5),
    model("ensemble.StackingClassifier", estimators=[["a", _TREE], ["b", model("naive_bayes.GaussianNB")]]),
    model("ensemble.VotingClassifier", estimators=[["a", _TREE]], voting="soft", weights=[1]),
    model("calibration.CalibratedClassifierCV", estimator=model("ensemble.AdaBoostClassifier", estimator=_TREE)),
    model("multiclass.OneVsRestClassifier", estimator=model("svm.LinearSVC", C=1.0, class_weight="balanced")),
]
_SPACE = {"max_depth": {"low": 1, "high": 10}, "criterion": ["gini", "entropy"], "min_samples_leaf": [1, 2]}
_SEARCHES = [
    {"method": "random", "space": _SPACE, "trials": 5},
    {"method": "grid", "space": {"max_depth": [1, 2, None]}, "metric": "accuracy"},
    {"method": "halving", "space": {"ccp_alpha": {"low": 1e-4, "high": 0.1, "log": True}}, "folds": 3},
]
_SPLITS: list[dict[str, Any]] = [{"method": "grouped", "by": "sepal_length"}, {"method": "random", "folds": 3}]
_COLUMNS = {"sepal_length": {"as": "number", "missing": "mean", "scale": "standard"}, "petal_width": {"as": "drop"}}
# On an example, which has to be read once, and on the dirty table of `upload_customers`.
REQUESTS: list[Any] = [
    *(example["value"] for example in BODIES["train_model"].values()),
    *(body(model=nested) for nested in _NESTED),
    *(body(model=_TREE, search=search) for search in _SEARCHES),
    *(body(split=split) for split in _SPLITS),
    body(preprocessing=_COLUMNS),
    body(features=["sepal_length", "petal_length"], threshold={"metric": "f1"}, limits={"seconds": 60}),
    body(model=None, models=[_TREE, *_NESTED[:2]]),
    body(batches={"rows": 1_000, "passes": 2}, model=model("linear_model.SGDClassifier")),
    body(dataset_name="customers", use_example=None, target_column="plan"),
]


@pytest.fixture(scope="module")
def trainer(one_client: TestClient, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    upload_customers(one_client, Path(tmp_path_factory.mktemp("customers")))
    return one_client


def sent(client: TestClient, content: bytes, *, dry_run: bool) -> Response:
    params = {"dry_run": "true"} if dry_run else {}
    return client.post("/train", content=content, params=params, headers={"Content-Type": "application/json"})


def check_problem(problem: dict[str, Any]) -> None:
    assert problem["code"]
    assert len(problem["detail"]) > 20
    assert problem["detail"].isprintable()


@effort(60)
@given(values_near(REQUESTS))
def test_what_a_rehearsal_says_of_a_request_is_what_comes_of_it(trainer: TestClient, request: Any) -> None:
    content = json.dumps(request).encode()
    rehearsed, answer = (sent(trainer, content, dry_run=dry_run) for dry_run in (True, False))
    if rehearsed.status_code != 200:
        check_problem(rehearsed.json())
        assert (answer.status_code, answer.json()["code"]) == (rehearsed.status_code, rehearsed.json()["code"])
        return
    told = rehearsed.json()
    for problem in told["problems"]:
        check_problem(problem)
    assert told["valid"] is (told["problems"] == [])
    assert (answer.status_code == 202) is told["valid"], (told, answer.text)
    if not told["valid"]:
        check_problem(answer.json())
        assert answer.json()["code"] in {problem["code"] for problem in told["problems"]}


@effort(60)
@given(bytes_near([json.dumps(request).encode() for request in REQUESTS]))
def test_a_damaged_request_to_train_is_read_or_refused(trainer: TestClient, content: bytes) -> None:
    answer = sent(trainer, content, dry_run=True)
    assert answer.status_code in {200, 413, 422}, answer.text
    if answer.status_code != 200:
        check_problem(answer.json())
