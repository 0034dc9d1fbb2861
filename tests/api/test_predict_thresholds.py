"""The threshold of two labels over HTTP: asked for, refused, and the same labels by whatever way they are asked for."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sklearn.model_selection import FixedThresholdClassifier

from api.parts import Parts
from shared.estimators.thresholds import Threshold
from tests.support.models import LIBRARIES, Fitted, Platform
from tests.support.protocols import OF_ANY_TABLE, OF_NUMBERS, Model, by_predict
from tests.support.training_requests import body, model, refused
from tests.support.training_tables import numeric_classes, trained_once
from tests.support.two_ways import both

pytestmark = pytest.mark.any_stack

FOREST = "ensemble.RandomForestClassifier"
COLUMNS = ["width", "height", "count"]
ROWS = [[2.0 + at / 7, 3.0 + at / 15, at % 4] for at in range(12)]
# Of five trees that are pure, rows lie exactly on the first two.
THRESHOLDS = {"low": (0.2, "yes"), "high": (0.8, "no"), "between": (0.5, "yes")}


def furnish(parts: Parts, folder: Path) -> Platform:
    """One forest with several thresholds, each with a compiled form and in a predicting process."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    result = trained_once(FOREST, numeric_classes(("no", "yes")), params={"n_estimators": 5})
    for name, (value, positive) in THRESHOLDS.items():
        model = FixedThresholdClassifier(
            result.model, threshold=value, pos_label=positive, response_method="predict_proba"
        )
        threshold = Threshold(value=value, positive=positive)
        signature = result.facts.signature.model_copy(update={"threshold": threshold})
        fitted = Fitted(model, signature, dict(LIBRARIES))
        platform.train(platform.dataset(name), fitted.in_form(), name=name)
        if name == "low":
            platform.train(platform.dataset(f"{name}_apart"), fitted, name=f"{name}_apart")
    return platform


@pytest.fixture(scope="module")
def served(one_client: TestClient, one_platform: Platform) -> TestClient:
    return one_client


def said_of(shares: list[list[float]], name: str) -> list[str]:
    value, positive = THRESHOLDS[name.removesuffix("_apart")]
    at = ["no", "yes"].index(positive)
    return [positive if row[at] >= value else ["yes", "no"][at] for row in shares]


@pytest.mark.parametrize("name", [*THRESHOLDS, "low_apart"])
def test_labels_follow_from_probabilities_by_every_protocol(served: TestClient, name: str) -> None:
    asked = Model.described_by(served, name)
    said = by_predict(asked, ROWS)
    assert said.probabilities is not None
    assert said.predictions == said_of(said.probabilities, name)
    value = THRESHOLDS[name.removesuffix("_apart")][0]
    if value != 0.5:
        assert value in {share for row in said.probabilities for share in row}
    for ask in [*OF_ANY_TABLE, *OF_NUMBERS]:
        assert ask(asked, ROWS) == said, ask.__name__
    content = "\n".join([",".join(COLUMNS), *(",".join(map(str, row)) for row in ROWS), ""])
    query = {"dataset_name": name, "environment": "dev"}
    headers = {"content-type": "text/csv", "accept": "text/csv"}
    answer = served.post("/predict", params=query, content=content, headers=headers)
    assert [row["prediction"] for row in csv.DictReader(io.StringIO(answer.text))] == said.predictions
    records = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    answer = served.post(f"/models/{name}/dev/predict", json={"input_data": {"records": records}})
    assert answer.raise_for_status().json()["predictions"] == said.predictions


def test_the_short_way_says_the_same_to_the_byte(served: TestClient) -> None:
    for name in THRESHOLDS:
        text = f'{{"dataset_name":"{name}","environment":"dev","input_data":{{"features":{ROWS}}}}}'
        short, usual = both(served, text)
        assert short == usual
        assert short[0] == 200


def test_the_version_tells_its_threshold(served: TestClient) -> None:
    shown = served.get("/models", params={"dataset_name": "high"}).json()["items"][0]
    assert shown["signature"]["threshold"] == {"value": 0.8, "positive": "no"}


BAD: dict[str, tuple[Any, str]] = {
    "an unknown metric": ({"metric": "f2"}, "threshold"),
    "two ways": (
        {"metric": "f1", "value": 0.3},
        "name only one of 'metric', 'cost' and 'value' in 'threshold'; it has 'metric' and 'value'",
    ),
    "no way": ({"positive": 1}, "name one of 'metric', 'cost' and 'value'"),
    "one cost": ({"cost": {"false_positive": 1}}, "false_negative"),
    "a word": ("f1", "write a number above 0 and below 1"),
    "yes": (True, "write a number above 0 and below 1"),
}


@pytest.mark.parametrize(("threshold", "said"), BAD.values(), ids=BAD)
def test_a_threshold_that_cannot_be_read_is_refused(one_client: TestClient, threshold: Any, said: str) -> None:
    problem = refused(one_client.post("/train", json=body(threshold=threshold)), 422, "invalid_request")
    assert said in problem["detail"]


OF_TABLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "three labels": ({"threshold": {"metric": "f1"}}, "task_mismatch", "'target' has 3 labels"),
    "numbers": (
        {"dataset_name": "diabetes", "model": model("linear_model", "Ridge"), "threshold": 0.3},
        "task_mismatch",
        "use a classifier",
    ),
    "a number beyond": ({"dataset_name": "breast_cancer", "threshold": 1}, "invalid_request", "not 1"),
    "no such label": (
        {"dataset_name": "breast_cancer", "threshold": {"value": 0.3, "positive": "sick"}},
        "invalid_request",
        '"sick" is no label',
    ),
}


@pytest.mark.parametrize(("changes", "code", "said"), OF_TABLES.values(), ids=OF_TABLES)
def test_a_threshold_that_does_not_fit_the_table_is_refused(
    one_client: TestClient, changes: dict[str, Any], code: str, said: str
) -> None:
    problem = refused(one_client.post("/train", json=body(**changes)), 422, code)
    assert said in problem["detail"]
    assert problem["errors"][0]["loc"][1] == "threshold"


def test_what_a_request_leaves_open_is_shown_by_a_dry_run(one_client: TestClient) -> None:
    wanted = body(dataset_name="breast_cancer", threshold=0.3)
    shown = one_client.post("/train", params={"dry_run": True}, json=wanted).json()
    assert shown["valid"]
    assert shown["request"]["threshold"] == {"metric": None, "cost": None, "value": 0.3, "positive": None}
    costs = {"false_positive": 1, "false_negative": 5}
    several = body(dataset_name="breast_cancer", model=None, models="auto", threshold={"cost": costs})
    assert one_client.post("/train", params={"dry_run": True}, json=several).json()["valid"]
