"""Trainings that are not done again, and trainings that are done again to compare."""

import importlib.metadata
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.parts import Parts
from shared.datasets.catalog import find_entry
from shared.estimators.libraries import installed
from shared.jobs.rows import JobRow
from shared.registry.deployments import retire
from shared.registry.rows import PinRow
from shared.training.pin import Pin, pinned_libraries
from shared.training.plan import RECIPE
from tests.support.jobs import claim_job
from tests.support.models import Platform, iris_forest
from tests.support.registry import Data
from tests.support.threads import at_once
from tests.support.training_requests import body, model, refused

HERE = Pin(libraries=pinned_libraries(), machine="x86_64", threads=1, folds=0, recipe=RECIPE)
REUSE = {"reuse": True}


def furnish(parts: Parts, folder: Any) -> Platform:
    """The example, on which nothing was trained."""
    return Platform(parts.database, parts.store, parts.settings, parts.key, folder)


def train(client: TestClient, platform: Platform, **changes: Any) -> str:
    """Train as a worker does, and return the job; its model is another one, which does not matter here."""
    job_id: str = client.post("/train", json=body(**changes)).raise_for_status().json()["job_id"]
    with platform.database.read() as session:
        entry = find_entry(session, "iris")
        (row,) = session.scalars(select(JobRow).where(JobRow.status == "queued")).all()
    data = Data(entry.dataset.id, entry.version.id)
    version = platform.finish(claim_job(platform.database, row.id), data, replace(iris_forest(), pin=HERE))
    with platform.database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == row.id).values(result={"version": version}))
    return job_id


def test_the_same_training_is_answered_with_its_job(client: TestClient, platform: Platform) -> None:
    first = train(client, platform)
    answer = client.post("/train", json=body(**REUSE))
    assert (answer.status_code, answer.headers["x-reused"]) == (200, "true")
    assert answer.headers["location"] == f"/jobs/{first}"
    job = answer.json()
    assert (job["job_id"], job["result"], job["status"]) == (first, {"version": 1}, "succeeded")
    # The newest of several.
    second = train(client, platform)
    assert client.post("/train", json=body(**REUSE)).json()["job_id"] == second


def test_a_key_keeps_the_job_that_stood_for_its_training(client: TestClient, platform: Platform) -> None:
    first = train(client, platform)
    key = {"Idempotency-Key": "once"}

    def ask(**changes: Any) -> Any:
        return client.post("/train", json=body(**REUSE, **changes), headers=key)

    answers = [ask()]
    with platform.database.write() as session:
        retire(session, version=1, stage="dev", reason=None, stages=platform.settings.stages)
    answers.append(ask())
    for answer in answers:
        assert (answer.status_code, answer.headers["x-reused"], answer.json()["job_id"]) == (200, "true", first)
        assert answer.headers["location"] == f"/jobs/{first}"
        assert "retry-after" not in answer.headers
    refused(ask(random_state=7), 422, "idempotency_key_reused")
    assert client.post("/train", json=body(**REUSE)).status_code == 202, "without the key it is done again"


def test_of_requests_with_one_key_at_once_all_get_the_job_that_stands_for_them(
    client: TestClient, platform: Platform
) -> None:
    first = train(client, platform)

    def ask() -> Any:
        return client.post("/train", json=body(**REUSE), headers={"Idempotency-Key": "once"})

    assert {(answer.status_code, answer.json()["job_id"]) for answer in at_once(*[ask] * 6)} == {(200, first)}


@pytest.mark.parametrize(
    "changes",
    [
        {"random_state": 7},
        {"test_size": 0.3},
        {"tags": ["a"]},
        {"model": model(n_estimators=6)},
        {"models": [model()], "model": None},
    ],
    ids=str,
)
def test_another_training_is_done(client: TestClient, platform: Platform, changes: dict[str, Any]) -> None:
    train(client, platform)
    answer = client.post("/train", json=body(**REUSE, **changes))
    assert answer.status_code == 202
    assert "x-reused" not in answer.headers


@pytest.mark.parametrize(
    "why", ["not asked", "retired", "another release", "another recipe", "no pin", "unread request"]
)
def test_it_is_done_again_where_the_model_cannot_stand_for_it(client: TestClient, platform: Platform, why: str) -> None:
    train(client, platform)
    with platform.database.write() as session:
        if why == "retired":
            retire(session, version=1, stage="dev", reason=None, stages=platform.settings.stages)
        if why == "another release":
            other = HERE.model_copy(update={"libraries": HERE.libraries | {"numpy": "1.0"}})
            session.execute(update(PinRow).values(pin=other.model_dump(mode="json")))
        if why == "another recipe":
            other = HERE.model_copy(update={"recipe": RECIPE - 1})
            session.execute(update(PinRow).values(pin=other.model_dump(mode="json")))
        if why == "no pin":
            session.query(PinRow).delete()
        if why == "unread request":
            session.execute(update(JobRow).values(request={"of": "another release"}))
    answer = client.post("/train", json=body() if why == "not asked" else body(**REUSE))
    assert answer.status_code == 202


def test_a_board_is_reused_while_all_of_its_models_are_there(client: TestClient, platform: Platform) -> None:
    several = {"models": [model(n_estimators=5)], "model": None}
    first = train(client, platform, **several)
    board = {"version": 1, "leaderboard": [{"version": 1}]}
    with platform.database.write() as session:
        session.execute(update(JobRow).values(result=board))
    assert client.post("/train", json=body(**REUSE, **several)).json()["job_id"] == first
    with platform.database.write() as session:
        session.execute(update(JobRow).values(result=board | {"leaderboard": [{"version": 1}, {"version": 9}]}))
    assert client.post("/train", json=body(**REUSE, **several)).status_code == 202


def test_a_training_that_is_to_be_repeated_is_accepted_once_per_key(client: TestClient, platform: Platform) -> None:
    train(client, platform)
    key = {"Idempotency-Key": "again"}
    first, second = (client.post("/models/1/reproduce", headers=key) for _ in range(2))
    assert (first.status_code, second.json()["job_id"]) == (202, first.json()["job_id"])
    job = first.json()
    assert (job["kind"], job["request"]) == ("reproduce", {"dataset_name": "iris", "version": 1})
    assert job["limits"] is not None
    refused(client.post("/models/1/reproduce", headers={"Idempotency-Key": "a b"}), 422, "invalid_request")
    page = client.get(f"/jobs/{job['job_id']}", headers={"Accept": "text/html"})
    assert page.status_code == 200


def test_its_result_has_a_page(client: TestClient, platform: Platform) -> None:
    train(client, platform)
    job = client.post("/models/1/reproduce").json()["job_id"]
    result = {
        "version": 1,
        "equal": False,
        "metrics": {"accuracy": {"then": 0.9, "now": None, "equal": False}},
        "rows": {"compared": 20, "different": 3, "largest_difference": 0.25},
        "libraries": {"numpy": {"then": "1.0", "now": ""}},
        "notes": ["a <note>"],
    }
    with platform.database.write() as session:
        session.execute(update(JobRow).where(JobRow.kind == "reproduce").values(result=result, status="succeeded"))
    text = client.get(f"/jobs/{job}", headers={"Accept": "text/html"}).text
    for told in ("20, of which 3 differ", "a &lt;note&gt;", "numpy", "0.9"):
        assert told in text


def test_what_cannot_be_repeated_is_refused_before_there_is_a_job(client: TestClient, platform: Platform) -> None:
    refused(client.post("/models/9/reproduce"), 404, "unknown_model")
    train(client, platform)
    with platform.database.read() as session:
        source = find_entry(session, "iris").version
    platform.store.delete(platform.settings.datasets_bucket, source.object_key)
    problem = refused(client.post("/models/1/reproduce"), 409, "not_reproducible")
    assert "The file of version 1 of dataset 'iris' is gone" in problem["detail"]
    with platform.database.write() as session:
        session.execute(update(JobRow).values(request={"of": "another release"}))
    problem = refused(client.post("/models/1/reproduce"), 409, "not_reproducible")
    assert "a request of an older release" in problem["detail"]


def test_an_estimator_that_is_not_here_is_refused_with_how_to_install_it(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(client, platform)
    with platform.database.write() as session:
        request = session.scalars(select(JobRow.request)).one()
        own = request | {"model": {"module": "a_package_of_ours", "class": "Ours", "params": {}}}
        session.execute(update(JobRow).values(request=own))
    problem = refused(client.post("/models/1/reproduce"), 422, "library_not_installed")
    assert "Install its package" in problem["detail"]
    with platform.database.write() as session:
        boosting = request | {"model": {"module": "lightgbm", "class": "LGBMClassifier", "params": {}}}
        session.execute(update(JobRow).values(request=boosting))
    monkeypatch.setattr(importlib.metadata, "version", _nothing)
    installed.release_of.cache_clear()
    answer = client.post("/models/1/reproduce")
    installed.release_of.cache_clear()
    problem = refused(answer, 422, "library_not_installed")
    assert "make boosting" in problem["detail"]


def _nothing(name: str) -> str:
    raise importlib.metadata.PackageNotFoundError(name)


def test_a_model_is_erased_with_the_jobs_that_repeated_it_and_not_before_they_end(
    client: TestClient, platform: Platform
) -> None:
    train(client, platform)
    job = client.post("/models/1/reproduce").json()["job_id"]
    with platform.database.write() as session:
        retire(session, version=1, stage="dev", reason=None, stages=platform.settings.stages)
    assert job in refused(client.delete("/models/1"), 409, "model_in_use")["detail"]
    client.post(f"/jobs/{job}/cancel").raise_for_status()
    assert client.delete("/models/1").status_code == 204
    assert client.get(f"/jobs/{job}").json()["request"] == {}
    refused(client.post("/models/1/reproduce"), 410, "model_erased")
