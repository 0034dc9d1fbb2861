"""What becomes of requests for jobs while as many wait as may."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.app import create_app
from api.parts import Parts
from shared.clock import Now
from shared.jobs.rows import JobRow
from shared.settings import Settings
from tests.api.test_quotas import TRAIN, key_of, upload
from tests.support.application import parts_of
from tests.support.jobs import add_job, claim_job
from tests.support.stack import Stack

MOST = 2


@pytest.fixture
def short(tmp_path: Path, stack: Stack) -> Iterator[Settings]:
    """Settings under which two jobs may wait."""
    with stack.settings(tmp_path / "home") as settings:
        yield settings.model_copy(update={"max_queued_jobs": MOST})


@pytest.fixture
def asked(short: Settings) -> Iterator[TestClient]:
    """A client of an application with that queue."""
    with TestClient(create_app(short)) as client:
        yield client


@pytest.fixture
def there(asked: TestClient) -> Parts:
    """Its parts."""
    return parts_of(asked)


def refused(answer: Response, *, seconds: int) -> None:
    """See that an answer is that the queue is full, in its body and its headers."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (429, "queue_full")
    assert (problem["used"], problem["limit"], problem["setting"]) == (MOST, MOST, "MLMINI_MAX_QUEUED_JOBS")
    assert (problem["retry_after"], answer.headers["Retry-After"]) == (seconds, str(seconds))
    assert answer.headers["RateLimit-Policy"].endswith(f'"queue";q={MOST};qu="concurrent-requests"')
    assert answer.headers["RateLimit"].endswith(f'"queue";r=0;t={seconds}')


@pytest.mark.asvs("2.4.1")
def test_no_more_jobs_wait_than_may_and_a_cancelled_one_makes_room(asked: TestClient, there: Parts) -> None:
    upload(asked, {})
    keyed = {"Idempotency-Key": "once"}
    jobs = [asked.post("/train", json=TRAIN, headers=headers).json()["job_id"] for headers in (keyed, {})]
    # Where nothing runs, nobody can tell when something will.
    refused(asked.post("/train", json=TRAIN), seconds=60)
    # A request that comes again gets its job.
    assert asked.post("/train", json=TRAIN, headers=keyed).json()["job_id"] == jobs[0]
    assert asked.post(f"/jobs/{jobs[1]}/cancel").status_code == 202
    refused_job = asked.post(f"/jobs/{jobs[1]}/retry")
    assert refused_job.status_code == 202
    refused(asked.post(f"/jobs/{jobs[1]}/retry"), seconds=60)


def test_what_runs_does_not_wait_and_tells_when_there_will_be_room(asked: TestClient, there: Parts) -> None:
    upload(asked, {})
    for _ in range(2):
        claim_job(there.whole_database, add_job(there.whole_database))
    assert [asked.post("/train", json=TRAIN).status_code for _ in range(MOST)] == [202] * MOST
    with there.whole_database.write() as session:
        session.execute(update(JobRow).where(JobRow.status == "running").values(claimed_at=Now(-20)))
    answer = asked.post("/train", json=TRAIN)
    # Two jobs of forty seconds each.
    refused(answer, seconds=answer.json()["retry_after"])
    assert 20 <= answer.json()["retry_after"] <= 25


def test_the_limits_of_a_user_are_told_beside_that_of_the_queue(short: Settings) -> None:
    settings = short.model_copy(update={"max_jobs_per_owner": 1, "storage_mb_per_owner": 1, "rate_limit": 100})
    with TestClient(create_app(settings)) as client:
        parts = parts_of(client)
        anna, bert = key_of(parts, "anna"), key_of(parts, "bert")
        upload(client, anna)
        assert client.post("/train", json=TRAIN, headers=anna).status_code == 202
        own = client.post("/train", json=TRAIN, headers=anna)
        assert own.json()["code"] == "quota_reached"
        assert own.headers["RateLimit-Policy"] == '"requests";q=100;w=60, "jobs";q=1;qu="concurrent-requests"'
        assert own.headers["RateLimit"].startswith('"requests";r=9')
        assert own.headers["RateLimit"].endswith(', "jobs";r=0;t=10')
        half = b"x\n" + b"1.25\n" * 110_000
        assert upload(client, bert, "half", half).status_code == 201
        large = upload(client, bert, "other", half + b"2\n")
        assert large.headers["RateLimit-Policy"].endswith(', "stored";q=1048576;qu="content-bytes"')
        assert large.headers["RateLimit"].endswith(f', "stored";r={2**20 - len(half)}')
        # Waiting makes no room there.
        assert "Retry-After" not in large.headers
        add_job(parts.whole_database)
        refused(client.post("/train", json=TRAIN, headers=bert), seconds=60)


def test_one_user_does_not_fill_the_queue_for_all_others(short: Settings) -> None:
    with TestClient(create_app(short.model_copy(update={"max_queued_jobs": 20}))) as client:
        parts = parts_of(client)
        anna, bert = key_of(parts, "anna"), key_of(parts, "bert")
        upload(client, anna)
        for _ in range(17):
            # In a pool that has no worker, they would wait for ever.
            add_job(parts.whole_database, owner="anna", pool="nowhere")
        assert client.post("/train", json=TRAIN, headers=anna).status_code == 202
        answer = client.post("/train", json=TRAIN, headers=anna)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["used"], problem["limit"]) == (429, "queue_full", 18, 18)
        assert "the last 2 places are kept for others" in problem["detail"]
        assert [client.post("/train", json=TRAIN, headers=bert).status_code for _ in range(3)] == [202, 202, 429]
