"""POST /train with `batches`: what is refused, and what a request that is taken says."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.training_requests import body, model, refused

pytestmark = pytest.mark.any_stack

GRADIENT = model("linear_model", "SGDClassifier")
BATCHES = {"rows": 2_000}
REFUSED: dict[str, tuple[dict[str, Any], str, str, list[str]]] = {
    "one that needs all rows": ({"model": model()}, "invalid_request", "naive_bayes.GaussianNB", ["batches"]),
    "one around others": (
        {"model": model("multiclass", "OneVsRestClassifier", estimator=GRADIENT)},
        "invalid_request",
        "needs the whole table at once",
        ["batches"],
    ),
    "a solver for all rows": (
        {"model": model("neural_network", "MLPClassifier", solver="lbfgs")},
        "invalid_parameter",
        "with the solver 'lbfgs'",
        ["model", "params", "solver"],
    ),
    "a rule for the end": (
        {"model": model("linear_model", "SGDClassifier", max_iter=5)},
        "invalid_parameter",
        "'batches.passes'",
        ["model", "params", "max_iter"],
    ),
    "balanced weights without any of rows": (
        {"model": model("linear_model", "PassiveAggressiveClassifier", class_weight="balanced")},
        "invalid_parameter",
        "Write the weight of each label",
        ["model", "params", "class_weight"],
    ),
    "few rows": ({"batches": {"rows": 10}}, "invalid_request", "1000", ["batches", "rows"]),
    "an unknown field": ({"batches": {"row": 2_000}}, "invalid_request", "Did you mean 'rows'?", ["batches", "row"]),
    "usual models": ({"model": None, "models": "auto"}, "invalid_request", "name each of 'models'", []),
    "a search": ({"search": {"method": "random"}}, "invalid_request", "on folds", ["search"]),
    "folds": ({"split": {"folds": 3}}, "invalid_request", "on folds", ["split", "folds"]),
    "another split": (
        {"split": {"method": "time", "by": "sepal_length"}},
        "invalid_request",
        "drawn one by one",
        ["split", "method"],
    ),
    "a learning curve": ({"learning_curve": True}, "invalid_request", "on folds", ["learning_curve"]),
    "a threshold to be chosen": (
        {"dataset_name": "breast_cancer", "model": model("naive_bayes", "GaussianNB"), "threshold": {"metric": "f1"}},
        "invalid_request",
        "A number can be given",
        ["threshold"],
    ),
    "means of the target": (
        {"preprocessing": {"petal_width": {"kind": "category", "encode": "target"}}},
        "unsuitable_columns",
        "encoded in another way",
        ["preprocessing", "petal_width", "encode"],
    ),
}


@pytest.mark.parametrize(("changes", "code", "said", "place"), REFUSED.values(), ids=REFUSED)
def test_what_needs_all_rows_at_once_is_refused(
    one_client: TestClient, changes: dict[str, Any], code: str, said: str, place: list[str]
) -> None:
    problem = refused(
        one_client.post("/train", json=body(**{"model": GRADIENT, "batches": BATCHES} | changes)), 422, code
    )
    assert said in problem["detail"], problem
    assert problem["errors"][0]["loc"][1 : len(place) + 1] == place
    assert one_client.get("/jobs").json()["items"] == []


def test_a_request_in_batches_is_shown_whole_and_taken(one_client: TestClient) -> None:
    wanted = body(model=GRADIENT, batches={})
    shown = one_client.post("/train?dry_run=true", json=wanted).json()
    assert (shown["valid"], shown["request"]["batches"]) == (True, {"rows": 50_000, "passes": 1})
    job = one_client.post("/train", json=wanted)
    assert (job.status_code, job.json()["request"]["batches"]) == (202, {"rows": 50_000, "passes": 1})
    assert "batches" not in one_client.post("/train?dry_run=true", json=body()).json()["request"]


def test_estimators_say_whether_they_learn_in_batches(one_client: TestClient) -> None:
    found = {
        name: one_client.get(f"/estimators/{name}").json()["learns_in_batches"]
        for name in ("svm/SVC", "naive_bayes/GaussianNB")
    }
    assert found == {"svm/SVC": False, "naive_bayes/GaussianNB": True}
