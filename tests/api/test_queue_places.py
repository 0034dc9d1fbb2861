"""What a request asks of the queue, priority and limits, and where its job stands in it."""

from itertools import islice
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from shared.clock import Now
from shared.database import Database
from shared.jobs.acceptance import find_job
from shared.jobs.rows import JobRow
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.events import follow, going_away_after
from tests.support.jobs import add_job, claim_job, fail_job
from tests.support.models import Platform
from tests.support.training_requests import body, model, refused


def place(client: TestClient, job_id: UUID) -> dict[str, Any] | None:
    """Where the job stands in the queue."""
    queue: dict[str, Any] | None = client.get(f"/jobs/{job_id}").json()["queue"]
    return queue


def due_since(database: Database, job_id: UUID, *, seconds: float) -> None:
    """Have a job due for so long, or in so many seconds if they are negative."""
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(run_at=Now(-seconds)))


def test_a_queued_job_is_told_its_place_among_those_that_are_due(client: TestClient, api_database: Database) -> None:
    late, early, first, running = (add_job(api_database, priority=priority) for priority in (5, 5, 0, 0))
    for job_id, seconds in [(late, 10), (early, 20), (first, 5)]:
        due_since(api_database, job_id, seconds=seconds)
    due_since(api_database, add_job(api_database, priority=0), seconds=-3600)
    claim_job(api_database, running)
    found = [place(client, job_id) for job_id in (first, early, late)]
    assert [queue["position"] for queue in found if queue] == [1, 2, 3]
    assert [queue["running"] for queue in found if queue] == [1, 1, 1]
    assert found[2] is not None
    assert 10 <= found[2]["waiting_seconds"] < 60
    assert place(client, running) is None


def test_a_job_that_waits_for_another_try_says_when(client: TestClient, api_database: Database) -> None:
    add_job(api_database)
    job_id = add_job(api_database)
    due_since(api_database, job_id, seconds=-3600)
    queue = place(client, job_id)
    assert queue is not None
    assert (queue["position"], queue["waiting_seconds"]) == (None, 0)
    assert queue["run_at"] > client.get(f"/jobs/{job_id}").json()["created_at"]


def test_lists_do_not_look_for_places(client: TestClient, api_database: Database, statements: list[str]) -> None:
    for _ in range(5):
        add_job(api_database)
    statements.clear()
    items = client.get("/jobs").json()["items"]
    assert [item["queue"] for item in items] == [None] * 5
    assert len([statement for statement in statements if "FROM jobs" in statement]) == 1


def test_the_first_event_tells_whoever_comes_where_the_job_stands(api_settings: Settings) -> None:
    with serving(api_settings) as (url, parts):
        before, job_id = add_job(parts.database), add_job(parts.database)
        stream = follow(url, job_id)
        (told,) = islice(stream, 1)
        assert told.data["queue"]["position"] == 2
        httpx2.post(f"{url}/jobs/{before}/cancel", timeout=60)
        # While the first one still listens.
        with going_away_after(1, follow(url, job_id)) as (later,):
            assert later.data["queue"]["position"] == 1
        stream.close()  # type: ignore[attr-defined]  # `follow` is a generator


def test_metrics_count_due_jobs_by_priority(client: TestClient, api_database: Database) -> None:
    for priority in (0, 5, 5):
        add_job(api_database, priority=priority)
    due_since(api_database, add_job(api_database), seconds=-3600)
    text = client.get("/metrics").text
    for priority, count in [(0, 1), (1, 0), (5, 2), (9, 0)]:
        assert f'mlmini_due_jobs{{priority="{priority}"}} {count}.0' in text


def test_priority_and_limits_are_kept_apart_from_the_request(client: TestClient, api_database: Database) -> None:
    limits = {"seconds": 60, "memory_mb": 512, "cpus": 1}
    job = client.post("/train", json=body(priority=2, limits=limits)).json()
    assert (job["priority"], job["limits"]) == (2, limits)
    assert not {"priority", "limits"} & job["request"].keys()
    with api_database.read() as session:
        row = find_job(session, UUID(job["job_id"]))
    assert (row.priority, row.time_limit_seconds, row.memory_limit_mb, row.cpu_limit) == (2, 60, 512, 1)


@pytest.mark.any_stack
def test_without_a_word_of_it_a_job_has_the_middle_priority_and_the_limits_of_the_settings(
    client: TestClient, api_settings: Settings
) -> None:
    job = client.post("/train", json=body(limits={"seconds": 60})).json()
    assert (job["priority"], job["limits"]) == (5, {"seconds": 60, "memory_mb": api_settings.job_memory_mb})
    job = client.post("/train", json=body()).json()
    assert job["limits"]["seconds"] == api_settings.job_seconds


@pytest.mark.any_stack
def test_the_limits_of_the_settings_themselves_may_be_asked_for(client: TestClient, api_settings: Settings) -> None:
    limits = {
        "seconds": api_settings.job_seconds,
        "memory_mb": api_settings.job_memory_mb,
        "cpus": api_settings.job_cpus,
    }
    assert client.post("/train", json=body(limits=limits)).json()["limits"] == limits


def test_limits_that_became_stricter_hold_for_jobs_that_were_there(
    client: TestClient, api_settings: Settings, api_database: Database
) -> None:
    limits = {
        "seconds": api_settings.job_seconds,
        "memory_mb": api_settings.job_memory_mb,
        "cpus": api_settings.job_cpus,
    }
    job_id = client.post("/train", json=body(limits={"seconds": 60, "memory_mb": 64, "cpus": 1})).json()["job_id"]
    higher = {
        "time_limit_seconds": limits["seconds"] * 2,
        "memory_limit_mb": limits["memory_mb"] * 2,
        "cpu_limit": limits["cpus"] * 2,
    }
    with api_database.write() as session:
        session.execute(update(JobRow).values(higher))
    assert client.get(f"/jobs/{job_id}").json()["limits"] == limits


def test_a_retry_keeps_priority_and_limits(client: TestClient, api_database: Database) -> None:
    limits = {"seconds": 60, "memory_mb": 512, "cpus": 1}
    first = client.post("/train", json=body(priority=9, limits=limits)).json()
    fail_job(api_database, UUID(first["job_id"]))
    again = client.post(f"/jobs/{first['job_id']}/retry").json()
    assert again["job_id"] != first["job_id"]
    assert (again["priority"], again["limits"]) == (9, limits)


@pytest.mark.any_stack
@pytest.mark.parametrize("change", [{"priority": 6}, {"limits": {"seconds": 61}}])
def test_a_key_stands_for_its_priority_and_limits_too(client: TestClient, change: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "once"}
    asked = body(limits={"seconds": 60})
    assert client.post("/train", json=asked, headers=headers).status_code == 202
    refused(client.post("/train", json=asked | change, headers=headers), 422, "idempotency_key_reused")


WRONG: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "too much time": ({"limits": {"seconds": 3601}}, ["limits", "seconds"], "at most 3600, which is the limit that"),
    "too much memory": (
        {"limits": {"memory_mb": 4097}},
        ["limits", "memory_mb"],
        "MLMINI_JOB_MEMORY_MB sets",
    ),
    "too many cores": ({"limits": {"cpus": 2**20}}, ["limits", "cpus"], "which is the limit that MLMINI_JOB_CPUS sets"),
    "no core": ({"limits": {"cpus": 0}}, ["limits", "cpus"], "greater than or equal to 1"),
    "a part of a core": ({"limits": {"cpus": 1.5}}, ["limits", "cpus"], "whole number"),
    "no time": ({"limits": {"seconds": 0}}, ["limits", "seconds"], "greater than 0"),
    "less time than none": ({"limits": {"seconds": -1}}, ["limits", "seconds"], "greater than 0"),
    "memory for nothing": ({"limits": {"memory_mb": 63}}, ["limits", "memory_mb"], "greater than or equal to 64"),
    "a text as time": ({"limits": {"seconds": "60"}}, ["limits", "seconds"], "a number"),
    "a part of a MiB": ({"limits": {"memory_mb": 100.5}}, ["limits", "memory_mb"], "whole number"),
    "another limit": ({"limits": {"minutes": 1}}, ["limits", "minutes"], "The fields are cpus, memory_mb, seconds"),
    "no object": ({"limits": 60}, ["limits"], "an object"),
    "a priority below all": ({"priority": -1}, ["priority"], "greater than or equal to 0"),
    "a priority above all": ({"priority": 10}, ["priority"], "less than or equal to 9"),
    "a priority in words": ({"priority": "high"}, ["priority"], "a whole number"),
}


@pytest.mark.any_stack
@pytest.mark.parametrize(("change", "loc", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_goes_too_far_is_refused_by_name(
    one_client: TestClient, change: dict[str, Any], loc: list[str], said: str
) -> None:
    problem = refused(one_client.post("/train", json=body(**change)), 422, "invalid_request")
    assert problem["errors"][0]["loc"] == ["body", *loc]
    assert said in problem["errors"][0]["msg"]
    assert one_client.get("/jobs").json()["items"] == []


@pytest.mark.any_stack
def test_a_rehearsal_tells_the_limits_that_would_hold(one_client: TestClient) -> None:
    answer = one_client.post("/train?dry_run=true", json=body(limits={"seconds": 60})).json()
    assert (answer["valid"], answer["limits"]) == (True, {"seconds": 60, "memory_mb": 4096})


@pytest.mark.any_stack
def test_a_rehearsal_names_limits_beside_all_other_problems(one_client: TestClient) -> None:
    beyond = {"seconds": 1e6, "memory_mb": 10**6}
    for asked in (body(limits=beyond, model=model(n_estimator=5)), body(limits=beyond, dataset_name="irs")):
        answer = one_client.post("/train?dry_run=true", json=asked).json()
        assert not answer["valid"]
        said = [problem["detail"] for problem in answer["problems"]]
        assert len(said) == 3
        assert "MLMINI_JOB_SECONDS" in said[1]
        assert "MLMINI_JOB_MEMORY_MB" in said[2]


def furnish(parts: Any, folder: Any) -> Platform:
    """Iris with one version in dev."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    return platform


def test_a_promotion_has_a_priority_and_computes_nothing(client: TestClient, platform: Platform) -> None:
    asked = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}
    job = client.post("/promote", json=asked | {"priority": 0}).json()
    assert (job["priority"], job["limits"], job["request"]) == (0, None, asked)
