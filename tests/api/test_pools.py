"""Pools of workers, as requests name them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from shared.database import Database
from shared.jobs.acceptance import accept
from shared.jobs.states import Kind
from shared.settings import Settings
from tests.support.jobs import add_job
from tests.support.training_requests import body, refused


def test_a_pool_is_kept_beside_the_request_and_by_a_retry(client: TestClient) -> None:
    job = client.post("/train", json=body(pool="large")).json()
    assert job["pool"] == "large"
    assert "pool" not in job["request"]
    client.post(f"/jobs/{job['job_id']}/cancel")
    again = client.post(f"/jobs/{job['job_id']}/retry").json()
    assert (again["pool"], again["job_id"] != job["job_id"]) == ("large", True)


@pytest.mark.any_stack
def test_without_a_word_of_it_a_job_is_of_the_default_pool_and_its_answer_says_nothing(client: TestClient) -> None:
    for asked in (body(), body(pool="default")):
        assert not {"pool", "warnings"} & client.post("/train", json=asked).json().keys()


@pytest.mark.any_stack
@pytest.mark.parametrize("name", ["", "Large", "a b", "x" * 33, "large\n", "a,b", "a.b", 5])
def test_a_name_that_no_pool_can_have_is_refused(one_client: TestClient, name: Any) -> None:
    problem = refused(one_client.post("/train", json=body(pool=name)), 422, "invalid_request")
    assert problem["errors"][0]["loc"] == ["body", "pool"]


def test_a_pool_without_a_worker_is_warned_of_while_one_with_a_worker_is_not(
    api_settings: Settings, valkey_url: str
) -> None:
    app = create_app(api_settings.model_copy(update={"redis_url": SecretStr(valkey_url)}))
    with TestClient(app) as client:
        client.post("/train", json=body())
        app.state.parts.queue.announce("of-the-test-of-pools", pools=["default", "large"])
        served = client.post("/train", json=body(pool="large"))
        rehearsed = client.post("/train?dry_run=true", json=body(pool="large")).json()["notes"]
        noted = client.post("/train?dry_run=true", json=body(pool="huge")).json()["notes"]
        (warning,) = client.post("/train", json=body(pool="huge")).json()["warnings"]
        ready = client.get("/readyz").json()
        app.state.parts.queue.leave("of-the-test-of-pools")
    assert (served.status_code, "warnings" in served.json()) == (202, False)
    assert "so the job waits. Start one with MLMINI_POOLS=huge, or cancel" in warning
    assert [note for note in noted if note not in rehearsed] == [
        warning.replace("waits", "would wait").replace("cancel the job", "name another 'pool'")
    ]
    assert ready["status"] == "degraded"
    assert "these pools: huge." in ready["dependencies"]["workers"]["hint"]


def test_a_place_in_the_queue_is_one_among_the_jobs_of_the_pool(client: TestClient, api_database: Database) -> None:
    add_job(api_database)
    with api_database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None, pool="large")
        theirs = job.id
    assert client.get(f"/jobs/{theirs}").json()["queue"]["position"] == 1
    text = client.get("/metrics").text
    assert 'mlmini_due_jobs_of_pool{pool="large"} 1.0' in text
    assert 'mlmini_due_jobs_of_pool{pool="default"} 1.0' in text
