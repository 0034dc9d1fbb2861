"""Batch prediction over HTTP: what is accepted, what is refused, and the output as a file."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.parts import Parts
from shared.clock import Now
from shared.jobs.states import State
from shared.registry.outputs import (
    PredictionOutputRow,
    old_outputs,
    retire_outputs,
)
from tests.support.finished_batches import OUTPUT, finish_batch
from tests.support.models import Platform, doubling, iris_forest
from tests.support.objects import put

ROWS = b"id,sepal_length,sepal_width,petal_length,petal_width\na,5.1,3.5,1.4,0.2\nb,6.2,3.4,5.4,2.3\n"
ASKED: dict[str, Any] = {
    "dataset_name": "iris",
    "environment": "dev",
    "input": {"dataset_name": "rows"},
    "keep": ["id"],
    "format": "csv",
}


def furnish(parts: Parts, folder: Path) -> Platform:
    """Two classifiers of iris, the second only in dev, and a regressor of another dataset."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data = platform.dataset()
    platform.promote(platform.train(data, iris_forest()), "staging")
    platform.train(data, iris_forest())
    platform.train(platform.dataset("numbers"), doubling(), name="numbers")
    return platform


def ask(client: TestClient, key: str | None = None, **changed: Any) -> Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/predict/batch", json={**ASKED, **changed}, headers=headers)


def problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body


def with_rows(client: TestClient, platform: Platform) -> Platform:
    """The platform with the rows to predict for."""
    assert client.post("/datasets/upload", files={"file": ("rows.csv", ROWS)}).status_code == 201
    return platform


@pytest.fixture
def furnished(client: TestClient, platform: Platform) -> Platform:
    """A platform of the test's own."""
    return with_rows(client, platform)


@pytest.fixture(scope="module")
def one_furnished(one_client: TestClient, one_platform: Platform) -> Platform:
    """One for all requests that leave nothing behind."""
    return with_rows(one_client, one_platform)


def test_the_model_and_the_input_are_pinned_when_the_job_is_accepted(client: TestClient, furnished: Platform) -> None:
    answer = ask(client, limits={"seconds": 60}, priority=7)
    job = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/jobs/{job['job_id']}")
    assert (job["kind"], job["dataset_name"], job["priority"], job["limits"]["seconds"]) == ("predict", "iris", 7, 60)
    assert job["request"] == {
        "dataset_name": "iris",
        "environment": "dev",
        "version": 2,
        "target": "target",
        "input": {"dataset_name": "rows", "dataset_version": 1},
        "keep": ["id"],
        "format": "csv",
        "return": ["label"],
        "neutralise_formulas": False,
    }
    assert ask(client, version=1, environment="staging").json()["request"]["version"] == 1
    assert client.get("/jobs", params={"kind": "predict"}).json()["items"][-1]["job_id"] == job["job_id"]
    assert "batch" not in client.get("/jobs", params={"kind": "train"}).text


def test_a_key_names_one_job(client: TestClient, furnished: Platform) -> None:
    first = ask(client, key="one").json()["job_id"]
    assert ask(client, key="one").json()["job_id"] == first
    problem(ask(client, key="one", keep=[]), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"dataset_name": "iriss"}, (404, "unknown_dataset", "There is no dataset 'iriss'")),
        ({"environment": "production"}, (409, "no_active_model", "POST /promote")),
        ({"environment": "stagging"}, (422, "unknown_stage", "staging")),
        ({"environment": "staging", "version": 2}, (409, "not_active", "Version 2")),
        ({"target": "species"}, (409, "no_active_model", "'species'")),
        ({"input": {"dataset_name": "row"}}, (404, "unknown_dataset", "There is no dataset 'row'")),
        ({"input": {"dataset_name": "rows", "dataset_version": 9}}, (404, "unknown_dataset_version", "no version 9")),
        ({"input": {"dataset_name": "numbers"}}, (422, "invalid_input", "lacks sepal_length")),
        ({"keep": ["idd"]}, (422, "unknown_column", "Did you mean 'id'?")),
        ({"keep": ["id", "id"]}, (422, "invalid_request", "twice")),
        ({"format": "xlsx"}, (422, "invalid_request", "format")),
        ({"format": "parquet", "neutralise_formulas": True}, (422, "invalid_request", "CSV")),
        ({"limits": {"seconds": 1e9}}, (422, "invalid_request", "MLMINI_JOB_SECONDS")),
        ({"kep": ["id"]}, (422, "invalid_request", "kep")),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_what_cannot_work_is_refused_before_the_202(
    one_client: TestClient, one_furnished: Platform, changed: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    status, code, said = expected
    assert said in str(problem(ask(one_client, **changed), status, code))
    assert one_client.get("/jobs", params={"kind": "predict"}).json()["items"] == []


@pytest.mark.any_stack
def test_a_column_named_as_one_of_the_output_and_probabilities_of_numbers_are_refused(
    client: TestClient, furnished: Platform
) -> None:
    table = ROWS.replace(b"id,", b"row,", 1)
    client.post("/datasets/upload", files={"file": ("taken.csv", table)})
    taken = ask(client, input={"dataset_name": "taken"}, keep=["row"])
    assert "has as a column of its own" in problem(taken, 422, "invalid_request")["detail"]
    client.post("/datasets/upload", files={"file": ("xs.csv", b"x\n1\n2\n")})
    asked: dict[str, Any] = {
        "dataset_name": "numbers",
        "input": {"dataset_name": "xs"},
        "keep": [],
        "return": ["probability"],
    }
    assert "It predicts numbers" in problem(ask(client, **asked), 422, "no_probabilities")["detail"]


@pytest.mark.asvs("3.2.1", "5.4.1")
def test_the_output_is_a_file_with_ranges(
    client: TestClient, furnished: Platform, parts: Parts, tmp_path: Path
) -> None:
    job_id = ask(client).json()["job_id"]
    problem(client.get(f"/jobs/{job_id}/output"), 409, "output_not_ready")
    finish_batch(parts, job_id, tmp_path)
    job = client.get(f"/jobs/{job_id}").json()
    assert job["links"]["output"] == f"/jobs/{job_id}/output"
    whole = client.get(job["links"]["output"])
    assert (whole.status_code, whole.content) == (200, OUTPUT)
    assert whole.headers["content-disposition"] == 'attachment; filename="iris_predictions_v2.csv"'
    etag = whole.headers["etag"]
    part = client.get(job["links"]["output"], headers={"Range": "bytes=4-5"})
    assert (part.status_code, part.content) == (206, b"id")
    assert client.get(job["links"]["output"], headers={"If-None-Match": etag}).status_code == 304
    past = client.get(job["links"]["output"], headers={"Range": "bytes=1000-"})
    problem(past, 416, "range_not_satisfiable")
    page = client.get(f"/jobs/{job_id}", headers={"Accept": "text/html"})
    assert f'href="/jobs/{job_id}/output"' in page.text


def test_jobs_without_an_output_say_why(client: TestClient, furnished: Platform, parts: Parts, tmp_path: Path) -> None:
    trained = client.get("/models/1").json()["job_id"]
    assert "A train job has no output" in problem(client.get(f"/jobs/{trained}/output"), 404, "no_output")["detail"]
    job_id = ask(client).json()["job_id"]
    client.post(f"/jobs/{job_id}/cancel")
    assert "cancelled" in problem(client.get(f"/jobs/{job_id}/output"), 404, "no_output")["detail"]
    again = client.post(f"/jobs/{job_id}/retry").json()["job_id"]
    key = finish_batch(parts, again, tmp_path)
    bucket = parts.settings.predictions_bucket
    parts.store.delete(bucket, key)
    assert "is missing" in problem(client.get(f"/jobs/{again}/output"), 503, "output_unavailable")["detail"]
    put(parts.store, bucket, key, OUTPUT.replace(b"setosa", b"virgin"), folder=tmp_path)
    assert "is not the one" in problem(client.get(f"/jobs/{again}/output"), 503, "output_unavailable")["detail"]


def test_an_old_output_goes_and_says_so(client: TestClient, furnished: Platform, parts: Parts, tmp_path: Path) -> None:
    job_id = ask(client).json()["job_id"]
    finish_batch(parts, job_id, tmp_path)
    with parts.database.write() as session:
        assert old_outputs(session, keep_days=1) == []
        session.execute(update(PredictionOutputRow).values(created_at=Now(-2 * 86_400)))
        found = old_outputs(session, keep_days=1)
        assert (found, retire_outputs(session, found), retire_outputs(session, found)) == ([UUID(job_id)], 1, 0)
    assert "because of its age" in problem(client.get(f"/jobs/{job_id}/output"), 410, "output_removed")["detail"]


def test_erasing_takes_the_outputs_along_and_waits_for_open_jobs(
    client: TestClient, furnished: Platform, parts: Parts, tmp_path: Path
) -> None:
    bucket = parts.settings.predictions_bucket
    job_id = ask(client).json()["job_id"]
    for query in ({}, {"erase": "true"}):
        refused = client.delete("/datasets/rows", params=query)
        assert job_id in problem(refused, 409, "dataset_in_use")["detail"]
    assert client.post("/models/2/retire", json={"stage": "dev"}).status_code == 200
    assert job_id in problem(client.delete("/models/2"), 409, "model_in_use")["detail"]
    finish_batch(parts, job_id, tmp_path)
    assert client.delete("/datasets/rows", params={"erase": "true"}).status_code == 204
    assert list(parts.store.list(bucket)) == []
    assert "was erased on 20" in problem(client.get(f"/jobs/{job_id}/output"), 410, "output_removed")["detail"]
    client.post("/datasets/upload", files={"file": ("rows.csv", ROWS)})
    second = ask(client, version=1).json()["job_id"]
    finish_batch(parts, second, tmp_path)
    assert len(list(parts.store.list(bucket))) == 1
    for stage in ("dev", "staging"):
        client.post("/models/1/retire", json={"stage": stage})
    assert client.delete("/models/1").status_code == 204
    assert list(parts.store.list(bucket)) == []
    job = client.get(f"/jobs/{second}").json()
    assert (job["status"], job["request"], "output" in job["links"]) == (State.SUCCEEDED, {}, False)


def test_rows_of_a_dataset_that_was_deleted_first_are_erased_by_its_name(
    client: TestClient, furnished: Platform, parts: Parts, tmp_path: Path
) -> None:
    job_id = ask(client).json()["job_id"]
    finish_batch(parts, job_id, tmp_path)
    assert client.delete("/datasets/rows").status_code == 204
    assert client.get(f"/jobs/{job_id}/output").status_code == 200
    refused = problem(client.post(f"/jobs/{job_id}/retry"), 404, "unknown_dataset_version")
    assert "was deleted" in refused["detail"]
    client.post("/datasets/upload", files={"file": ("rows.csv", b"a\n1\n")})
    assert client.delete("/datasets/rows", params={"erase": "true"}).status_code == 204
    assert list(parts.store.list(parts.settings.predictions_bucket)) == []
    problem(client.get(f"/jobs/{job_id}/output"), 410, "output_removed")
