"""Requests that are refused, one for each problem that the docs show: the samples are recorded from their answers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from api.docs.answers import REQUEST_ID
from api.parts import Parts
from shared.datasets.catalog import find_entry
from shared.registry.outputs import retire_outputs
from tests.support.finished_batches import finish_batch
from tests.support.jobs import add_alike, add_job
from tests.support.models import Platform, iris_forest
from tests.support.protocol_turns import turns_of_protocols
from tests.support.registry import Data
from tests.support.stack import Stack

# In place of the ids that differ each time.
JOB_ID = "0a159333-8626-4381-a1b0-6656d37b0f43"
# What any operation may meet, where it has no sample of its own for the status.
ANY = "any"

ALIKE = "1f0c2b6a"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d at \d\d:\d\d:\d\d UTC")

_FOREST = {"module": "ensemble", "class": "RandomForestClassifier"}
_TRAIN = {"dataset_name": "iris", "model": _FOREST, "target_column": "target"}
_PROMOTE = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}
_ROW = [5.1, 3.5, 1.4, 0.2]
_PREDICT = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [_ROW]}}
_BATCH = {"dataset_name": "iris", "environment": "dev", "version": 2, "input": {"dataset_name": "iris"}}
_KEY = {"Idempotency-Key": "my-first-model"}
_MORE_THAN_A_BODY = b'{"dataset_name": "' + b"x" * 2**22 + b'"}'


class Turn(NamedTuple):
    """A request of an operation, and what it sends."""

    operation: str
    method: str
    path: str
    sent: dict[str, Any]


class Refused(NamedTuple):
    """The answer to a wrong turn."""

    operation: str
    status: int
    problem: dict[str, Any]


@contextmanager
def wrong_turns(stack: Stack, home: Path) -> Iterator[list[Refused]]:
    """Every problem, as an application on an installation of its own answers."""
    with stack.settings(home) as settings, TestClient(create_app(settings)) as client:
        parts: Parts = client.app.state.parts  # type: ignore[attr-defined]  # it is a FastAPI
        jobs = _furnish(client, parts, home)
        answers = [_take(client, turn, jobs) for turn in _turns(**jobs)]
        with stack.without_store(settings):
            answers += [_take(client, turn, jobs) for turn in _TURNS_WITHOUT_STORE]
        with stack.without_database(settings):
            answers.append(_take(client, Turn(ANY, "GET", "/models/1", {}), jobs))
        yield answers


def _furnish(client: TestClient, parts: Parts, home: Path) -> dict[str, str]:
    """Iris with four models, the first in staging, the third of another target, the last erased; jobs by their use."""
    for name in ("iris", "wine"):
        client.post("/train", json={**_TRAIN, "dataset_name": name, "use_example": True}, headers=_KEY)
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, home)
    with parts.database.read() as session:
        entry = find_entry(session, "iris")
    iris, forest = Data(entry.dataset.id, entry.version.id), iris_forest()
    other = replace(forest, signature=forest.signature.model_copy(update={"target": "petal_width"}))
    for fitted in (forest, forest, other, forest):
        platform.train(iris, fitted)
    platform.promote(1, "staging")
    platform.overwrite("iris_model_staging_v1.pkl", lambda _: b"other bytes")
    # Other data under the name of an example.
    client.post("/datasets/upload", files={"file": ("diabetes.csv", "a,b\n1,2\n")})
    queued = str(add_job(parts.database))
    add_alike(parts.database, ALIKE, 2)
    batches = _batches(client, parts, home)
    ended, erased = (client.get(f"/models/{version}").json()["job_id"] for version in (1, 4))
    client.post("/models/4/retire", json={"stage": "dev", "replace_target": True}).raise_for_status()
    client.delete("/models/4").raise_for_status()
    return {"queued": queued, "ended": ended, "erased": erased, **batches}


def _batches(client: TestClient, parts: Parts, home: Path) -> dict[str, str]:
    """Batch predictions: one that waits, one that has its output, one whose output was removed."""
    waits, done, old = (client.post("/predict/batch", json=_BATCH).json()["job_id"] for _ in range(3))
    for job_id in (done, old):
        finish_batch(parts, job_id, home)
    with parts.database.write() as session:
        retire_outputs(session, [UUID(old)])
    return {"waits": waits, "done": done, "old": old}


def _take(client: TestClient, turn: Turn, jobs: dict[str, str]) -> Refused:
    sent = {**turn.sent, "headers": {"X-Request-ID": REQUEST_ID, **turn.sent.get("headers", {})}}
    answer: Response = client.request(turn.method, turn.path, **sent)
    text = answer.text
    for job_id in jobs.values():
        text = text.replace(job_id, JOB_ID)
    text = _MOMENT.sub("2026-01-31 at 12:00:00 UTC", text)
    assert answer.status_code >= 400, (turn, answer.text[:1000])
    return Refused(turn.operation, answer.status_code, Response(answer.status_code, text=text).json())


def alike(problem: dict[str, Any]) -> str:
    """A problem without what may differ from one machine to the next: the size of a file."""
    return re.sub(r"\d{5,}", "00000", str(problem))


def _turns(queued: str, ended: str, erased: str, **batches: str) -> Iterator[Turn]:
    yield from _of_datasets()
    yield from _of_training()
    yield from _of_jobs(queued, ended, erased)
    yield from _of_models()
    yield from _of_predictions()
    yield from (Turn(*asked) for asked in turns_of_protocols())
    yield from _of_batches(ended, **batches)
    yield Turn("explain_error_code", "GET", "/errors/unknown_colum", {})
    yield Turn("explain_finding_code", "GET", "/findings/gap_words", {})
    yield Turn(ANY, "GET", "/version?nam=1", {})


def _of_datasets() -> Iterator[Turn]:
    for name, text in {
        "table.csv": "a,b\n1,2,3\n",
        "twice.csv": "a,a\n1,2\n",
        "empty.csv": "a,b\n",
        "___.csv": "a,b\n1,2\n",
        "wide.csv": ",".join(f"c{n}" for n in range(5_001)) + "\n",
    }.items():
        yield Turn("upload_dataset", "POST", "/datasets/upload", {"files": {"file": (name, text)}})
    yield Turn("upload_dataset", "POST", "/datasets/upload", {"files": {"name": (None, "iris")}})
    table = {"file": ("table.csv", "a,b\n1,2\n"), "kinds": (None, '{"a": "categorie"}')}
    yield Turn("upload_dataset", "POST", "/datasets/upload", {"files": table})
    yield Turn("reread_dataset", "POST", "/datasets/iriss/reread", {"json": {}})
    yield Turn("reread_dataset", "POST", "/datasets/iris/reread", {"json": {"version": 9}})
    yield Turn("reread_dataset", "POST", "/datasets/iris/reread", {"json": {"header": "none"}})
    yield Turn("reread_dataset", "POST", "/datasets/iris/reread", {"json": {"headers": 2}})
    yield from _bodies("reread_dataset", "/datasets/iris/reread")
    long = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(2**34)}
    yield Turn("upload_dataset", "POST", "/datasets/upload", {"content": b"", "headers": long})
    plain = {"Content-Type": "text/csv"}
    yield Turn("upload_dataset", "POST", "/datasets/upload", {"content": b"a,b\n1,2\n", "headers": plain})
    yield from _pages("list_datasets", "/datasets")
    for operation, method, path in (
        ("get_dataset", "GET", "/datasets/iriss"),
        ("delete_dataset", "DELETE", "/datasets/iriss"),
        ("delete_dataset", "DELETE", "/datasets/iris"),
        ("delete_dataset", "DELETE", "/datasets/iris?archive=true&erase=true"),
        ("list_dataset_versions", "GET", "/datasets/iriss/versions"),
        ("preview_dataset", "GET", "/datasets/iriss/preview"),
        ("preview_dataset", "GET", "/datasets/iris/preview?version=9"),
        ("preview_dataset", "GET", "/datasets/iris/preview?rows=0"),
        ("profile_dataset", "GET", "/datasets/iriss/profile"),
        ("profile_dataset", "GET", "/datasets/iris/profile?version=9"),
        ("profile_dataset", "GET", "/datasets/iris/profile?versions=1"),
        ("profile_dataset", "GET", "/datasets/iris/profile?target=targets"),
        ("compare_dataset_versions", "GET", "/datasets/iriss/diff"),
        ("compare_dataset_versions", "GET", "/datasets/iris/diff"),
        ("compare_dataset_versions", "GET", "/datasets/iris/diff?from=1&to=1"),
    ):
        yield Turn(operation, method, path, {})
    yield from _pages("list_dataset_versions", "/datasets/iris/versions")


def _of_training() -> Iterator[Turn]:
    for changed in (
        {"dataset_name": "iriss"},
        {"dataset_version": 9},
        {"dataset_name": "iriss", "use_example": True},
        {"dataset_name": "diabetes", "use_example": True},
        {"target_column": "targets"},
        {"model": _FOREST | {"class": "RandomForestClassifer"}},
        {"model": _FOREST | {"params": {"n_estimator": 10}}},
        {"model": _FOREST | {"params": {"n_estimators": "many"}}},
        {"model": _FOREST | {"class": "RandomForestRegressor"}},
        {"models": "auto"},
        {"model": None, "models": [_FOREST, _FOREST]},
        {"search": {"method": "random", "metric": "acuracy"}},
        {"search": {"method": "grid", "space": {"max_depth": {"low": 2, "high": 8}}}},
    ):
        yield Turn("train_model", "POST", "/train", {"json": _TRAIN | changed})
    yield Turn("train_model", "POST", "/train", {"json": _TRAIN, "headers": _KEY})
    yield from _bodies("train_model", "/train")
    yield Turn("list_estimators", "GET", "/estimators?task=clustering", {})
    yield from _pages("list_estimators", "/estimators")
    yield Turn("get_estimator", "GET", "/estimators/ensemble/RandomForestClassifer", {})


def _of_jobs(queued: str, ended: str, erased: str) -> Iterator[Turn]:
    yield Turn("get_job", "GET", f"/jobs/{JOB_ID}", {})
    yield Turn("get_job", "GET", f"/jobs/{ALIKE}", {})
    yield Turn("get_job", "GET", f"/jobs/{queued}?wait=100", {})
    yield Turn("follow_job", "GET", f"/jobs/{JOB_ID}/events", {})
    yield Turn("follow_job", "GET", f"/jobs/{ALIKE}/events", {})
    yield Turn("follow_job", "GET", f"/jobs/{queued}/events", {"headers": {"Last-Event-ID": "x"}})
    yield Turn("read_job_log", "GET", f"/jobs/{JOB_ID}/logs", {})
    yield Turn("read_job_log", "GET", f"/jobs/{ALIKE}/logs", {})
    yield Turn("list_jobs", "GET", "/jobs?status=done", {})
    yield Turn("list_jobs", "GET", "/jobs?dataset_name=iriss", {})
    yield from _pages("list_jobs", "/jobs")
    yield Turn("cancel_job", "POST", f"/jobs/{JOB_ID}/cancel", {})
    yield Turn("cancel_job", "POST", f"/jobs/{ended}/cancel", {})
    yield Turn("cancel_job", "POST", f"/jobs/{queued}/cancel", {"json": {"because": "it is slow"}})
    yield Turn("retry_job", "POST", f"/jobs/{JOB_ID}/retry", {})
    yield Turn("retry_job", "POST", f"/jobs/{queued}/retry", {})
    yield Turn("retry_job", "POST", f"/jobs/{ended}/retry", {"headers": _KEY})
    yield Turn("retry_job", "POST", f"/jobs/{erased}/retry", {})


def _of_models() -> Iterator[Turn]:
    yield Turn("list_models", "GET", "/models?stage=stagging", {})
    yield Turn("list_models", "GET", "/models?dataset_name=iriss", {})
    yield Turn("list_models", "GET", "/models?estimator=RandomForestClassifer", {})
    yield from _pages("list_models", "/models")
    for operation, path in (
        ("compare_models", "/models/compare?versions=1,9"),
        ("compare_models", "/models/compare?versions=1"),
        ("get_model", "/models/9"),
        ("report_model", "/models/9/report"),
        ("show_model_card", "/models/9/card"),
        ("download_artifact", "/models/9/artifact"),
        ("download_artifact", "/models/1/artifact?stage=production"),
        ("download_artifact", "/models/1/artifact?stage=stagging"),
        ("download_artifact", "/models/1/artifact?stage=staging"),
    ):
        yield Turn(operation, "GET", path, {})
    past_the_end = {"headers": {"Range": "bytes=100000000-"}}
    yield Turn("download_artifact", "GET", "/models/1/artifact?stage=dev", past_the_end)
    yield Turn("list_models", "GET", "/models?sort=acuracy", {})
    yield Turn("annotate_model", "PATCH", "/models/9", {"json": {"tags": ["baseline"]}})
    yield Turn("annotate_model", "PATCH", "/models/1", {"json": {"tags": ["not a tag"]}})
    yield from _bodies("annotate_model", "/models/1", method="PATCH")
    for operation, path in {
        "add_user": "/users",
        "make_api_key": "/api-keys",
        "refresh_tokens": "/auth/refresh",
        "change_password": "/me/password",
    }.items():
        yield from _bodies(operation, path)
    yield Turn("log_in", "POST", "/auth/token", {"json": {"username": "anna", "password": "three-brown-owls-at-noon"}})
    yield Turn("give_dataset", "PATCH", "/datasets/iriss", {"json": {"team": "fraud"}})
    yield Turn("give_dataset", "PATCH", "/datasets/iris", {"json": {"owner": "nobody-here"}})
    yield Turn("give_dataset", "PATCH", "/datasets/iris", {"json": {"team": "Fraud!"}})
    yield from _bodies("give_dataset", "/datasets/iris", method="PATCH")
    yield from _bodies("change_user", "/users/anna", method="PATCH")
    yield Turn("retire_model", "POST", "/models/9/retire", {"json": {"stage": "dev"}})
    yield Turn("retire_model", "POST", "/models/1/retire", {"json": {"stage": "production"}})
    yield Turn("retire_model", "POST", "/models/3/retire", {"json": {"stage": "dev"}})
    yield Turn("retire_model", "POST", "/models/1/retire", {"json": {"stage": "stagging"}})
    yield from _bodies("retire_model", "/models/1/retire")
    for version in (1, 4, 9):
        yield Turn("reproduce_model", "POST", f"/models/{version}/reproduce", {})
    yield Turn("reproduce_model", "POST", "/models/1/reproduce", {"headers": _KEY})
    for changed in (
        {"version": 9},
        {"dataset_name": "iriss"},
        {"version": 2, "target_stage": "production"},
        {"target_stage": "staging"},
        {"version": 3},
        {"target_stage": "stagging"},
    ):
        yield Turn("promote_model", "POST", "/promote", {"json": _PROMOTE | changed})
    promote = {"json": _PROMOTE | {"target_stage": "production"}, "headers": _KEY}
    yield Turn("promote_model", "POST", "/promote", promote)
    yield from _bodies("promote_model", "/promote")
    yield from _of_erased_models()


def _of_erased_models() -> Iterator[Turn]:
    """Version 4 was erased, and its job with it."""
    for operation, method, path in (
        ("get_model", "GET", "/models/4"),
        ("report_model", "GET", "/models/4/report"),
        ("show_model_card", "GET", "/models/4/card"),
        ("compare_models", "GET", "/models/compare?versions=1,4"),
        ("download_artifact", "GET", "/models/4/artifact"),
        ("erase_model", "DELETE", "/models/9"),
        ("erase_model", "DELETE", "/models/1"),
        ("erase_model", "DELETE", "/models/4"),
    ):
        yield Turn(operation, method, path, {})
    yield Turn("retire_model", "POST", "/models/4/retire", {"json": {"stage": "dev"}})
    yield Turn("promote_model", "POST", "/promote", {"json": _PROMOTE | {"version": 4}})


def _of_predictions() -> Iterator[Turn]:
    wrong = {"features": [[5.1, 3.5, "long", 0.2], [6.2, 3.4, 5.4, "wide"]]}
    lacking = {"records": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4}]}
    for changed in (
        {"dataset_name": "iriss"},
        {"environment": "production"},
        {"version": 5},
        {"version": 2, "input_data": wrong},
        {"version": 2, "input_data": lacking},
        {"version": 2, "return": ["interval"]},
        {"environment": "stagging"},
        {"environment": "staging"},
    ):
        yield Turn("predict", "POST", "/predict", {"json": _PREDICT | changed})
    yield from _bodies("predict", "/predict")
    rows = {"input_data": _PREDICT["input_data"]}
    for place, body in (
        ("iriss/staging", rows),
        ("iris/production", rows),
        ("iris/dev", rows | {"version": 5}),
        ("iris/dev", {"version": 2, "input_data": wrong}),
        ("iris/dev", rows | {"version": 2, "return": ["interval"]}),
        ("iris/stagging", rows),
        ("iris/staging", rows),
    ):
        yield Turn("predict_typed", "POST", f"/models/{place}/predict", {"json": body})
    yield from _bodies("predict_typed", "/models/iris/dev/predict")


def _of_batches(ended: str, waits: str, done: str, old: str) -> Iterator[Turn]:
    for changed in (
        {"dataset_name": "iriss"},
        {"environment": "production"},
        {"environment": "stagging"},
        {"input": {"dataset_name": "iris", "dataset_version": 9}},
        {"input": {"dataset_name": "wine"}},
        {"keep": ["species"]},
        {"keep": ["target", "target"]},
        {"return": ["interval"]},
    ):
        yield Turn("predict_batch", "POST", "/predict/batch", {"json": _BATCH | changed})
    yield Turn("predict_batch", "POST", "/predict/batch", {"json": _BATCH, "headers": _KEY})
    yield from _bodies("predict_batch", "/predict/batch")
    yield Turn("download_output", "GET", f"/jobs/{JOB_ID}/output", {})
    yield Turn("download_output", "GET", f"/jobs/{ended}/output", {})
    yield Turn("download_output", "GET", f"/jobs/{waits}/output", {})
    yield Turn("download_output", "GET", f"/jobs/{ALIKE}/output", {})
    yield Turn("download_output", "GET", f"/jobs/{old}/output", {})
    yield Turn("download_output", "GET", f"/jobs/{done}/output", {"headers": {"Range": "bytes=1000-"}})


def _pages(operation: str, path: str) -> Iterator[Turn]:
    yield Turn(operation, "GET", f"{path}?limit=500", {})
    yield Turn(operation, "GET", f"{path}?cursor=x", {})


def _bodies(operation: str, path: str, *, method: str = "POST") -> Iterator[Turn]:
    """What is no JSON, or too much of it."""
    json = {"Content-Type": "application/json"}
    for content, headers in [
        (_MORE_THAN_A_BODY, json),
        (b"{}", {"Content-Type": "text/plain"}),
        (b'{"version": NaN}', json),
    ]:
        yield Turn(operation, method, path, {"content": content, "headers": headers})


_TURNS_WITHOUT_STORE = [
    Turn("upload_dataset", "POST", "/datasets/upload", {"files": {"file": ("table.csv", "a,b\n1,2\n")}}),
    Turn("preview_dataset", "GET", "/datasets/iris/preview", {}),
    Turn("reread_dataset", "POST", "/datasets/iris/reread", {"json": {}}),
    Turn("get_readiness", "GET", "/readyz", {}),
    Turn("v2_ready", "GET", "/v2/health/ready", {}),
]
