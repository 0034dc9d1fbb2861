"""Models as a list: narrowed, sorted by a metric, found by what people wrote on them."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.registry.rows import RegistryRow
from tests.support.models import Platform, doubling
from tests.support.registry import Data

ACCURACIES = [0.1 + 0.2, 0.9, None, 0.5, 0.9, 1.0]


def furnish(parts: Parts, folder: Path) -> Platform:
    """Six models of iris, measured as `ACCURACIES` says; the losses go the other way."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    iris = platform.dataset()
    for accuracy in ACCURACIES:
        add(platform, iris, accuracy)
    return platform


def add(platform: Platform, data: Data, accuracy: float | None) -> int:
    version = platform.train(data, doubling())
    metrics = {} if accuracy is None else {"accuracy": accuracy, "log_loss": 1 - accuracy}
    chosen = RegistryRow.version == version
    estimator = "ensemble.RandomForestClassifier" if version % 2 else "svm.SVC"
    with platform.database.write() as session:
        session.execute(update(RegistryRow).where(chosen).values(metrics=metrics, estimator=estimator))
    return version


def listed(client: TestClient, **query: Any) -> list[int]:
    answer = client.get("/models", params=query)
    assert answer.status_code == 200, answer.text
    return [model["version"] for model in answer.json()["items"]]


def test_models_are_found_by_their_class_with_its_module_or_without(
    one_client: TestClient, one_platform: Platform
) -> None:
    assert listed(one_client, estimator="SVC") == listed(one_client, estimator="svm.SVC") == [6, 4, 2]
    assert listed(one_client, estimator="ensemble.RandomForestClassifier") == [5, 3, 1]
    for other in ("Ridge", "linear_model.Ridge"):
        assert listed(one_client, estimator=other) == []


@pytest.mark.parametrize(
    ("estimator", "near"),
    [
        ("RandomForestClassifer", "RandomForestClassifier"),
        ("svm.svc", "svm.SVC"),
        ("tree.SVC", None),
        ("Classifier", None),
        ("%", None),
        ("_VC", None),
    ],
)
def test_a_class_that_does_not_exist_is_told(
    one_client: TestClient, one_platform: Platform, estimator: str, near: str | None
) -> None:
    problem = one_client.get("/models", params={"estimator": estimator}).json()
    assert (problem["status"], problem["code"]) == (422, "unknown_estimator")
    assert problem["detail"].startswith(f"There is no estimator '{estimator}'.")
    assert near is None or problem["did_you_mean"] == near


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_the_best_by_a_metric_come_first_and_the_newer_of_equals(
    one_client: TestClient, one_platform: Platform, metric: str
) -> None:
    assert listed(one_client, sort=metric) == [6, 5, 2, 4, 1]
    assert listed(one_client, sort=metric, estimator="SVC") == [6, 2, 4]
    assert listed(one_client, sort="rmse") == []


def test_pages_of_a_sorted_list_stay_right_while_new_models_come(client: TestClient, platform: Platform) -> None:
    seen: list[int] = []
    query: dict[str, Any] = {"sort": "accuracy", "limit": 1}
    with platform.database.read() as session:
        row = session.get_one(RegistryRow, 1)
    data = Data(row.dataset_id, row.dataset_version_id)
    for better in (0.95, 0.9, 0.4, 0.2, 1.0):
        page = client.get("/models", params=query).json()
        seen += [model["version"] for model in page["items"]]
        query["cursor"] = page["next_cursor"]
        add(platform, data, better)
    # Of the newer ones, those come that are worse than what was shown; none is shown twice, and none is left out.
    assert seen == [6, 7, 8, 5, 2]
    assert listed(client, **query | {"limit": 9}) == [4, 9, 1, 10]


def test_a_cursor_of_another_order_is_refused(one_client: TestClient, one_platform: Platform) -> None:
    by_accuracy = one_client.get("/models", params={"sort": "accuracy", "limit": 1}).json()["next_cursor"]
    by_version = one_client.get("/models", params={"limit": 1}).json()["next_cursor"]
    for query in (
        {"sort": "log_loss", "cursor": by_accuracy},
        {"cursor": by_accuracy},
        {"sort": "accuracy", "cursor": by_version},
    ):
        answer = one_client.get("/models", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


def test_an_unknown_metric_is_refused_with_those_that_there_are(one_client: TestClient) -> None:
    answer = one_client.get("/models?sort=acuracy")
    assert (answer.status_code, answer.json()["did_you_mean"]) == (422, "accuracy")
    assert "log_loss" in answer.json()["available"]


def test_tags_and_a_note_are_kept_found_and_taken_away(client: TestClient, platform: Platform) -> None:
    answer = client.patch("/models/2", json={"tags": ["team:fraud", "baseline", "baseline"], "note": " the first "})
    assert (answer.status_code, answer.json()["tags"]) == (200, ["baseline", "team:fraud"])
    assert answer.json()["note"] == "the first"
    client.patch("/models/4", json={"tags": ["baseline"]})
    assert client.get("/models/2").json() == answer.json()
    assert listed(client, tag="baseline") == [4, 2]
    assert listed(client, tag="team:fraud", sort="accuracy") == [2]
    assert listed(client, tag="base") == []
    # What is left out stays.
    assert client.patch("/models/2", json={"note": None}).json()["tags"] == ["baseline", "team:fraud"]
    assert client.patch("/models/2", json={"tags": []}).json()["note"] is None
    assert listed(client, tag="baseline") == [4]
    client.patch("/models/4", json={"tags": None})
    assert listed(client, tag="baseline") == []


def test_a_wrong_tag_is_told_in_words(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.patch("/models/1", json={"tags": ["good", "Größe & mehr"]}).json()
    assert answer["errors"][0]["loc"] == ["body", "tags", 1]
    assert "one word of 1 to 64 letters a-z, digits" in answer["detail"]
    assert "'Größe & mehr'" in answer["detail"]
    assert "pattern" not in answer["detail"]


WRONG: dict[str, dict[str, Any]] = {
    "a space": {"tags": ["not a tag"]},
    "an empty one": {"tags": [""]},
    "a long one": {"tags": ["a" * 65]},
    "a line end": {"tags": ["a\n"]},
    "a number": {"tags": [1]},
    "many": {"tags": [f"tag{number}" for number in range(21)]},
    "a long note": {"note": "a" * 2001},
    "another field": {"stage": "production"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_cannot_be_written_on_a_model_is_refused(
    one_client: TestClient, one_platform: Platform, change: dict[str, Any]
) -> None:
    answer = one_client.patch("/models/1", json=change)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_nothing_is_written_on_a_model_that_is_not_there(one_client: TestClient) -> None:
    answer = one_client.patch("/models/99", json={"tags": ["baseline"], "note": "a"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")
