"""Jobs over HTTP: look, wait, list, cancel, try again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.database import Database
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from tests.support.jobs import TRAIN_REQUEST, add_alike, add_job, claim_job, fail_job, finish_job
from tests.support.waiting import eventually


def test_a_job_has_the_form_of_the_contract(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    job = client.get(f"/jobs/{job_id}").json()
    assert job.pop("created_at").endswith("Z")
    assert job.pop("queue")["position"] == 1
    assert job == {
        "job_id": str(job_id),
        "kind": "promote",
        "status": "queued",
        "progress": {"percent": 0, "step": "queued", "estimated": False},
        "dataset_name": "flowers",
        "priority": 5,
        "limits": None,
        "request": TRAIN_REQUEST,
        "result": None,
        "error": None,
        "attempts": 0,
        "usage": None,
        "started_at": None,
        "finished_at": None,
        "erased_at": None,
        "links": {
            "self": f"/jobs/{job_id}",
            "events": f"/jobs/{job_id}/events",
            "logs": f"/jobs/{job_id}/logs",
            "cancel": f"/jobs/{job_id}/cancel",
        },
    }


def test_a_job_that_succeeded_leads_to_its_model(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    finish_job(api_database, job_id, {"version": 7, "stage": "dev"})
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["status"], job["result"], job["attempts"]) == ("succeeded", {"version": 7, "stage": "dev"}, 1)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert job["links"] == {
        "self": f"/jobs/{job_id}",
        "events": f"/jobs/{job_id}/events",
        "logs": f"/jobs/{job_id}/logs",
        "retry": f"/jobs/{job_id}/retry",
        "model": "/models/7",
    }


def test_a_job_that_failed_says_why(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    fail_job(api_database, job_id, code="fit_failed", message="No rows are left.")
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["status"], job["error"]) == ("failed", {"code": "fit_failed", "message": "No rows are left."})


ODD_IDS = [
    "5",
    "%2e%2e",
    "%252e%252e%252f",
    "a'--",
    "é",
    "x" * 300,
    "00000000-0000-0000-0000-00000000000",
    str(UUID(int=1)),
]


@pytest.mark.parametrize("job_id", ODD_IDS)
@pytest.mark.parametrize(("method", "act"), [("GET", ""), ("POST", "/cancel"), ("POST", "/retry")])
def test_an_id_that_no_job_has_is_a_404(one_client: TestClient, job_id: str, method: str, act: str) -> None:
    answer = one_client.request(method, f"/jobs/{job_id}{act}")
    assert answer.status_code == 404
    assert answer.json()["code"] in {"unknown_job", "not_found"}
    if "." not in job_id and "%" not in job_id:
        assert answer.json()["code"] == "unknown_job"


@pytest.mark.parametrize(("method", "act"), [("GET", ""), ("GET", "/logs"), ("POST", "/cancel")])
def test_a_job_is_found_by_the_beginning_of_its_id(
    client: TestClient, api_database: Database, method: str, act: str
) -> None:
    job_id = str(add_job(api_database))
    for beginning in (job_id[:8], job_id[:13].upper(), job_id.replace("-", "")[:31]):
        answer = client.request(method, f"/jobs/{beginning}{act}")
        assert answer.status_code in {200, 202, 409}, answer.text
        assert "ambiguous_job" not in answer.text
    assert client.get(f"/jobs/{job_id[:8]}").json()["job_id"] == job_id
    assert client.get(f"/jobs/{job_id[:7]}").json()["code"] == "unknown_job"


def test_a_beginning_of_several_ids_is_refused_with_their_number(client: TestClient, api_database: Database) -> None:
    ids = add_alike(api_database, "0123abcd", 12)
    answer = client.get("/jobs/0123abcd")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_job")
    assert "The ids of 12 jobs begin with '0123abcd'." in answer.json()["detail"]
    assert answer.json()["available"] == [str(job_id) for job_id in ids[:10]]
    assert client.get(f"/jobs/{str(ids[3]).replace('-', '')[:-1]}").json()["code"] == "ambiguous_job"
    assert client.get(f"/jobs/{ids[3]}").json()["job_id"] == str(ids[3])
    assert client.get("/jobs/0123abce").json()["code"] == "unknown_job"


def test_waiting_for_an_unknown_job_answers_at_once(client: TestClient) -> None:
    began = time.monotonic()
    assert client.get(f"/jobs/{uuid4()}?wait=30").status_code == 404
    assert time.monotonic() - began < 5


def test_a_wait_is_answered_when_the_job_ends(client: TestClient, parts: Parts, api_database: Database) -> None:
    job_id = add_job(api_database)
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(client.get, f"/jobs/{job_id}?wait=30") for _ in range(10)]
        eventually(lambda: parts.jobs_watch.waits() == 10)
        finish_job(api_database, job_id)
        ended = time.monotonic()
        assert {answer.result().json()["status"] for answer in answers} == {"succeeded"}
    assert time.monotonic() - ended < 2


def test_a_wait_ends_with_the_job_as_it_is(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    claim_job(api_database, job_id)
    began = time.monotonic()
    assert client.get(f"/jobs/{job_id}?wait=0.3").json()["status"] == "running"
    assert 0.3 <= time.monotonic() - began < 3


@pytest.mark.any_stack
@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "x", "1e9"])
def test_a_wait_that_cannot_be_is_refused(one_client: TestClient, one_parts: Parts, wait: str) -> None:
    answer = one_client.get(f"/jobs/{add_job(one_parts.database)}?wait={wait}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", "wait"]


def test_the_database_is_asked_only_while_somebody_waits(
    client: TestClient, parts: Parts, api_database: Database, statements: list[str]
) -> None:
    jobs = [add_job(api_database) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(client.get, f"/jobs/{job_id}?wait=1") for job_id in jobs]
        eventually(lambda: parts.jobs_watch.waits() == 5)
        statements.clear()
        assert all(answer.result().status_code == 200 for answer in answers)
    polls = [statement for statement in statements if "NOT IN" in statement]
    # One query for all of them, every 30 ms or less often.
    assert 1 < len(polls) <= 1 / 0.03 + 2
    assert parts.jobs_watch.waits() == 0
    statements.clear()
    threading.Event().wait(0.2)
    assert [statement for statement in statements if "NOT IN" in statement] == []


def test_the_list_is_the_newest_first_in_pages(client: TestClient, api_database: Database) -> None:
    jobs = [add_job(api_database) for _ in range(7)]
    # Four of one moment, as on a database whose clock is coarse, and the others newer, the last one least.
    began = datetime.now(UTC) - timedelta(minutes=1)
    with api_database.write() as session:
        for job_id, seconds in zip(jobs, (0, 0, 0, 0, 30, 20, 10), strict=True):
            moment = began + timedelta(seconds=seconds)
            session.execute(update(JobRow).where(JobRow.id == job_id).values(created_at=moment))
    expected = [*jobs[4:], *sorted(jobs[:4], reverse=True)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/jobs?limit=2{cursor}").json()
        seen += [job["job_id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        assert len(page["items"]) == 2
    assert seen == [str(job_id) for job_id in expected]
    assert [job["job_id"] for job in client.get("/jobs").json()["items"]] == seen


def test_the_list_is_filtered(client: TestClient, api_database: Database) -> None:
    train = add_job(api_database, kind=Kind.TRAIN, dataset_name="roses")
    promote = add_job(api_database, dataset_name="flowers")
    finish_job(api_database, promote)

    def listed(query: str) -> list[str]:
        return [job["job_id"] for job in client.get(f"/jobs?{query}").json()["items"]]

    assert listed("status=queued") == [str(train)]
    assert listed("kind=promote") == [str(promote)]
    assert listed("dataset_name=roses") == [str(train)]
    assert listed("dataset_name=roses&status=succeeded") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=done", "invalid_request"),
        ("kind=trains", "invalid_request"),
        ("limit=0", "invalid_request"),
        ("limit=201", "invalid_request"),
        ("cursor=abc", "invalid_cursor"),
        ("cursor=WzFd", "invalid_cursor"),
        ("cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDYsImEiXQ", "invalid_cursor"),
    ],
)
def test_a_list_that_cannot_be_is_refused(one_client: TestClient, query: str, code: str) -> None:
    answer = one_client.get(f"/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_queued_job_is_cancelled_at_once(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    answer = client.post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert (answer.headers["location"], answer.headers["retry-after"]) == (f"/jobs/{job_id}", "1")
    answer = client.post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_ended")


def test_a_running_job_is_asked_to_stop(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    claim_job(api_database, job_id)
    answer = client.post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    with api_database.read() as session:
        assert session.get_one(JobRow, job_id).cancel_requested_at is not None


def test_a_job_of_a_kind_that_only_a_newer_release_knows_is_shown_and_cancelled_but_not_retried(
    client: TestClient, api_database: Database
) -> None:
    job_id = add_job(api_database)
    with api_database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(kind="explain"))
    assert client.get(f"/jobs/{job_id}").json()["kind"] == "explain"
    assert [job["job_id"] for job in client.get("/jobs").json()["items"]] == [str(job_id)]
    assert 'mlmini_jobs{kind="explain",status="queued"} 1.0' in client.get("/metrics").text
    assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    refused = client.post(f"/jobs/{job_id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "the release that accepted it" in refused.json()["detail"]
