"""New jobs over HTTP: one for each request, however often it comes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import delete, func, select, update

from api.accepting import AcceptingDep, NewJob
from api.parts import Parts
from api.schemas.jobs import Job
from shared.clock import Now
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.jobs.rows import IdempotencyKeyRow, JobRow
from shared.jobs.states import Kind
from tests.support.jobs import add_job, claim_job, fail_job, finish_job


def test_a_retry_is_a_new_job_with_the_same_request(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database, request={"n": 5})
    fail_job(api_database, job_id)
    answer = client.post(f"/jobs/{job_id}/retry")
    assert answer.status_code == 202
    job = answer.json()
    assert job["job_id"] != str(job_id)
    assert (job["status"], job["kind"], job["request"]) == ("queued", "promote", {"n": 5})
    assert answer.headers["location"] == f"/jobs/{job['job_id']}"
    assert answer.headers["retry-after"] == "1"
    assert client.get(answer.headers["location"]).json() | {"queue": None} == job


def test_a_job_that_has_not_ended_is_not_retried(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    assert client.post(f"/jobs/{job_id}/retry").json()["code"] == "job_not_ended"
    claim_job(api_database, job_id)
    answer = client.post(f"/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_ended")


def test_a_train_is_not_retried_when_its_data_is_gone(client: TestClient, api_database: Database) -> None:
    with api_database.write() as session:
        dataset = DatasetRow(name="flowers")
        session.add(dataset)
        session.flush()
        version = DatasetVersionRow(
            dataset_id=dataset.id,
            object_key="k",
            format="csv",
            reading={"format": "csv"},
            sha256="",
            size_bytes=1,
            rows=1,
            columns=[],
        )
        session.add(version)
        session.flush()
        version_id = version.id
    job_id = add_job(api_database, kind=Kind.TRAIN, dataset_version_id=version_id)
    fail_job(api_database, job_id)
    assert client.post(f"/jobs/{job_id}/retry").status_code == 202
    with api_database.write() as session:
        session.execute(delete(DatasetRow))
    answer = client.post(f"/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_dataset_version")


def test_one_key_makes_one_job_however_often_and_at_once_it_comes(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    fail_job(api_database, job_id)
    start = threading.Barrier(50)

    def retry() -> Any:
        start.wait()
        return client.post(f"/jobs/{job_id}/retry", headers={"Idempotency-Key": "one"})

    with ThreadPoolExecutor(50) as pool:
        answers = [future.result() for future in [pool.submit(retry) for _ in range(50)]]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    with api_database.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 2


def test_a_key_is_answered_with_its_job_as_it_is_now(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    fail_job(api_database, job_id)
    headers = {"Idempotency-Key": "one"}
    first = client.post(f"/jobs/{job_id}/retry", headers=headers).json()
    finish_job(api_database, UUID(first["job_id"]))
    again = client.post(f"/jobs/{job_id}/retry", headers=headers)
    assert again.status_code == 202
    assert (again.json()["job_id"], again.json()["status"]) == (first["job_id"], "succeeded")


def test_a_key_with_another_body_is_refused(client: TestClient, api_database: Database) -> None:
    jobs = [add_job(api_database) for _ in range(2)]
    for job_id in jobs:
        fail_job(api_database, job_id)
    headers = {"Idempotency-Key": "one"}
    assert client.post(f"/jobs/{jobs[0]}/retry", headers=headers).status_code == 202
    answer = client.post(f"/jobs/{jobs[1]}/retry", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_that_is_too_old_counts_no_more(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    fail_job(api_database, job_id)
    headers = {"Idempotency-Key": "one"}
    first = client.post(f"/jobs/{job_id}/retry", headers=headers).json()
    with api_database.write() as session:
        session.execute(update(IdempotencyKeyRow).values(expires_at=Now(-1)))
    assert client.post(f"/jobs/{job_id}/retry", headers=headers).json()["job_id"] != first["job_id"]


@pytest.mark.any_stack
@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, "é".encode(), b"a\tb"])
def test_a_key_of_the_wrong_form_is_refused(one_client: TestClient, one_parts: Parts, key: bytes) -> None:
    job_id = add_job(one_parts.database)
    fail_job(one_parts.database, job_id)
    answer = one_client.post(f"/jobs/{job_id}/retry", headers=[(b"idempotency-key", key)])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]


def test_data_that_is_deleted_after_the_check_is_unknown(app: FastAPI, client: TestClient) -> None:
    @app.post("/accept")
    def take(accepting: AcceptingDep) -> Job:
        return accepting.accept(NewJob(Kind.TRAIN, {}, "flowers", 12345), None)

    answer = client.post("/accept")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_dataset_version")
