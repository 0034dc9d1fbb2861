"""Whoever has changed the registry through this process, or has learnt of a change, is served by it at once."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.parts import Parts
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.prediction import watcher
from tests.support.jobs import add_job, finish_job
from tests.support.models import Platform, iris_forest
from tests.support.registry import Data

PREDICT = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}


@pytest.fixture
def client(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of an application that does not notice changes by itself, but for the first look."""
    monkeypatch.setattr(watcher, "POLL_SECONDS", 600)
    with TestClient(app) as client:
        yield client


@pytest.fixture
def platform(client: TestClient, parts: Parts, tmp_path: Path) -> Platform:
    """Three versions of iris in dev, of which the last one is loaded."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    data = platform.dataset()
    for seed in range(3):
        platform.train(data, iris_forest(seed=seed))
    assert _version(client) == 3
    return platform


def _version(client: TestClient, **more: object) -> object:
    answer = client.post("/predict", json=PREDICT | more).json()
    return answer.get("version") or answer["code"]


def _data(platform: Platform) -> Data:
    with platform.database.read() as session:
        row = session.scalars(select(DatasetVersionRow)).one()
        return Data(row.dataset_id, row.id)


def test_a_retired_version_does_not_answer_the_next_prediction(client: TestClient, platform: Platform) -> None:
    for version, serving in ((3, 2), (2, 1), (1, "no_active_model")):
        assert client.post(f"/models/{version}/retire", json={"stage": "dev"}).status_code == 200
        assert _version(client) == serving


def test_a_retired_version_does_not_answer_by_its_number_either(client: TestClient, platform: Platform) -> None:
    assert _version(client, version=1) == 1
    client.post("/models/1/retire", json={"stage": "dev"})
    assert _version(client, version=1) == "not_active"


def test_a_retirement_that_is_refused_changes_nothing(client: TestClient, platform: Platform) -> None:
    assert client.post("/models/3/retire", json={"stage": "staging"}).status_code == 409
    assert _version(client) == 3


@pytest.mark.parametrize("query", ["", "?wait=5"])
def test_a_model_serves_once_its_job_is_told_to_have_succeeded(
    client: TestClient, platform: Platform, query: str
) -> None:
    data = _data(platform)
    claim = platform.begin(data)
    platform.finish(claim, data, iris_forest(seed=9))
    assert _version(client) == 3
    assert client.get(f"/jobs/{claim.job_id}{query}").json()["status"] == "succeeded"
    assert _version(client) == 4


def test_a_success_that_was_told_before_asks_the_registry_nothing(
    client: TestClient, platform: Platform, statements: list[str]
) -> None:
    job_id = UUID(client.get("/models/3").json()["job_id"])
    for expected in (True, False):
        statements.clear()
        assert client.get(f"/jobs/{job_id}").status_code == 200
        assert any("counters" in statement for statement in statements) is expected


def test_a_promoted_version_serves_once_its_job_is_told_to_have_succeeded(
    client: TestClient, platform: Platform, api_database: Database
) -> None:
    platform.promote(1, "staging")
    assert _version(client, environment="staging") == 1
    job_id = add_job(api_database, dataset_name="iris")
    platform.promote(2, "staging")
    finish_job(api_database, job_id)
    assert client.get(f"/jobs/{job_id}").json()["status"] == "succeeded"
    assert _version(client, environment="staging") == 2
