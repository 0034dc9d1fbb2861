"""How the platform says that it is well, or what it lacks."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from api.parts import Parts
from api.readiness import TIMEOUT_SECONDS
from shared.clock import Now
from shared.database import Database
from shared.errors import DatabaseUnavailable, WrongSettings
from shared.jobs.rows import JobRow
from shared.settings import Settings
from tests.support.jobs import add_job, finish_job
from tests.support.stack import NO_REDIS, Stack
from tests.support.waiting import eventually


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.any_stack
def test_the_process_is_up(one_client: TestClient) -> None:
    assert one_client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.any_stack
def test_versions_are_told(one_client: TestClient) -> None:
    assert one_client.get("/version").json()["scikit_learn"].startswith("1.")
    assert set(one_client.get("/version").json()) == {"platform", "python", "scikit_learn"}


def test_all_is_well_with_redis_and_a_worker(api_settings: Settings, valkey_url: str) -> None:
    settings = api_settings.model_copy(update={"redis_url": SecretStr(valkey_url)})
    app = create_app(settings)
    with TestClient(app) as client:
        app.state.parts.queue.announce("worker-of-the-health-test")
        answer = client.get("/readyz")
        app.state.parts.queue.announce("worker-of-the-health-test", pools=["large", "default"])
        pooled = client.get("/readyz").json()["dependencies"]
        app.state.parts.queue.announce("worker-of-the-health-test", pools=["large"])
        lacking = client.get("/readyz").json()["dependencies"]["workers"]
        app.state.parts.queue.leave("worker-of-the-health-test")
    # Whoever starts a worker of that pool sees that it is there.
    assert (lacking["state"], lacking["pools"]) == ("degraded", ["large"])
    assert "pools" not in answer.text
    assert [name for name, part in pooled.items() if "pools" in part] == ["workers"]
    assert pooled["workers"]["pools"] == ["default", "large"]
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["processes"] == {"up": 1, "wanted": 1}
    assert {part["state"] for part in answer.json()["dependencies"].values()} == {"ok"}


@pytest.mark.asvs("16.5.2")
@pytest.mark.any_stack
def test_without_redis_it_is_degraded_and_still_ready(api_settings: Settings) -> None:
    with TestClient(create_app(api_settings.model_copy(update={"redis_url": NO_REDIS}))) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    states = {name: part["state"] for name, part in answer.json()["dependencies"].items()}
    kept = {"database": "ok", "object_store": "ok", "home": "ok", "reader": "ok"}
    assert states == kept | {"redis": "degraded", "workers": "degraded"}
    assert "Start Redis" in answer.json()["dependencies"]["redis"]["hint"]


@pytest.mark.any_stack
def test_a_part_that_hangs_does_not_hang_the_answer(api_settings: Settings, silent_port: int) -> None:
    settings = api_settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{silent_port}/0")})
    with TestClient(create_app(settings)) as client:
        began = time.monotonic()
        for _ in range(2):
            answer = client.get("/readyz")
            assert answer.status_code == 200
            assert "no answer" in answer.json()["dependencies"]["redis"]["hint"]
        assert time.monotonic() - began < 2 * TIMEOUT_SECONDS + 2


def test_without_the_store_it_is_not_ready(client: TestClient, stack: Stack, api_settings: Settings) -> None:
    with stack.without_store(api_settings):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "not_ready"
    assert answer.json()["dependencies"]["object_store"]["state"] == "down"
    assert [problem["loc"] for problem in answer.json()["errors"]] == [["object_store"]]
    assert str(api_settings.home) not in answer.text


def test_without_the_database_it_is_not_ready_and_counts_on(client: TestClient, parts: Parts, locked_out: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["dependencies"]["database"]["state"]) == (503, "down")
    assert client.get("/healthz").status_code == 200
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert "mlmini_http_requests_total" in metrics.text
    assert "mlmini_jobs{" not in metrics.text


@pytest.mark.asvs("16.5.2")
def test_without_the_database_work_is_refused_for_now(client: TestClient, locked_out: None) -> None:
    for method, path in [("GET", "/jobs"), ("GET", "/jobs/00000000-0000-0000-0000-000000000000?wait=30")]:
        began = time.monotonic()
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert time.monotonic() - began < 10


def test_a_wait_ends_when_the_database_goes_away(
    client: TestClient, parts: Parts, stack: Stack, api_settings: Settings
) -> None:
    job_id = add_job(parts.database)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(client.get, f"/jobs/{job_id}?wait=60")
        eventually(lambda: parts.jobs_watch.waits() == 1)
        with stack.without_database(api_settings):
            parts.database.close()
            assert (answer.result().status_code, answer.result().json()["code"]) == (503, "database_unavailable")


@pytest.fixture
def locked_out(client: TestClient, stack: Stack, api_settings: Settings, parts: Parts) -> Iterator[None]:
    """The database is away, and no connection to it is left."""
    with stack.without_database(api_settings):
        parts.database.close()
        yield
        parts.database.close()


def test_metrics_count_requests_by_template_and_jobs_by_state(client: TestClient, api_database: Database) -> None:
    jobs = [add_job(api_database) for _ in range(3)]
    finish_job(api_database, jobs[0])
    with api_database.write() as session:
        session.get_one(JobRow, jobs[1]).run_at = Now(-100)
        session.get_one(JobRow, jobs[2]).run_at = Now(100)
    for job_id in jobs:
        client.get(f"/jobs/{job_id}")
    client.get("/nothing/at/all")
    client.request("BREW", "/jobs")
    text = client.get("/metrics").text
    assert 'mlmini_http_requests_total{method="GET",route="/jobs/{job_id}",status="200"} 3.0' in text
    assert 'mlmini_http_requests_total{method="GET",route="unknown",status="404"} 1.0' in text
    assert 'mlmini_http_requests_total{method="other",route="/jobs",status="405"} 1.0' in text
    assert 'mlmini_http_request_seconds_count{method="GET",route="/jobs/{job_id}"} 3.0' in text
    assert 'mlmini_jobs{kind="promote",status="succeeded"} 1.0' in text
    assert 'mlmini_jobs{kind="promote",status="queued"} 2.0' in text
    assert 'mlmini_jobs{kind="train",status="queued"} 0.0' in text
    age = float(text.split("\nmlmini_oldest_due_job_seconds ")[1].split("\n")[0])
    assert 99 < age < 130


def test_a_database_of_another_release_stops_the_start(api_settings: Settings) -> None:
    database = Database(api_settings.sqlalchemy_url)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    database.close()
    with pytest.raises(WrongSettings, match="newer release"), TestClient(create_app(api_settings)):
        pass


def test_a_database_that_is_away_stops_the_start(api_settings: Settings, stack: Stack) -> None:
    with (
        stack.without_database(api_settings),
        pytest.raises(DatabaseUnavailable),
        TestClient(create_app(api_settings)),
    ):
        pass
