"""What one user may have at a time: open jobs, and what is stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.app import create_app
from api.parts import Parts
from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.errors import DatabaseUnavailable
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import DeploymentRow
from shared.registry.storage import stored_bytes
from shared.settings import Settings
from tests.support.accounts import add_user
from tests.support.application import parts_of
from tests.support.finished_batches import OUTPUT, finish_batch
from tests.support.jobs import add_job, claim_job
from tests.support.models import Platform
from tests.support.stack import Stack
from tests.support.threads import at_once
from tests.support.waiting import eventually

FISH = b"length,weight\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(20))
TRAIN = {"dataset_name": "fish", "target_column": "weight", "model": {"module": "dummy", "class": "DummyRegressor"}}
MIB = 2**20


@pytest.fixture
def narrow(tmp_path: Path, stack: Stack) -> Iterator[Settings]:
    """Settings under which one user may have two open jobs and a MiB."""
    with stack.settings(tmp_path / "home") as settings:
        quotas = {"max_jobs_per_owner": 2, "max_running_per_owner": 1, "storage_mb_per_owner": 1}
        yield settings.model_copy(update=quotas)


@pytest.fixture
def asked(narrow: Settings) -> Iterator[TestClient]:
    """A client of an application with these quotas."""
    with TestClient(create_app(narrow)) as client:
        yield client


@pytest.fixture
def there(asked: TestClient) -> Parts:
    """Its parts."""
    return parts_of(asked)


def key_of(parts: Parts, name: str, role: Role = Role.TRAINER) -> dict[str, str]:
    add_user(parts.database, name, role)
    with parts.database.write() as session:
        user = find_user(session, name)
        scopes = [Scope.ADMIN] if role is Role.ADMIN else [Scope.READ, Scope.TRAIN]
        _, text = create_key(session, user, name="for a test", scopes=scopes)
    eventually(parts.access.known.is_on)
    return {"X-API-Key": text}


def upload(client: TestClient, headers: dict[str, str], name: str = "fish", content: bytes = FISH) -> Response:
    return client.post("/datasets/upload", files={"file": (f"{name}.csv", content)}, headers=headers)


def refused(answer: Response, setting: str, *, used: int, limit: int) -> str:
    """The sentence of a quota that is used up."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (429, "quota_reached")
    assert (problem["setting"], problem["used"], problem["limit"]) == (setting, used, limit)
    return str(problem["detail"])


def used(client: TestClient, headers: dict[str, str]) -> dict[str, Any]:
    """What a user is told of their limits."""
    limits: dict[str, Any] = client.get("/me", headers=headers).json()["limits"]
    return limits


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_a_user_has_no_more_open_jobs_than_the_limit_and_others_have_theirs(asked: TestClient, there: Parts) -> None:
    anna, bert = key_of(there, "anna"), key_of(there, "bert")
    assert upload(asked, anna).status_code == 201
    jobs = [asked.post("/train", json=TRAIN, headers=anna) for _ in range(2)]
    assert [job.status_code for job in jobs] == [202, 202]
    again = asked.post("/train", json=TRAIN, headers=anna)
    assert "cancel" in refused(again, "MLMINI_MAX_JOBS_PER_OWNER", used=2, limit=2)
    assert again.headers["Retry-After"] == "10"
    assert asked.post("/train", json=TRAIN, headers=bert).status_code == 202
    claim_job(there.database, UUID(jobs[0].json()["job_id"]))
    assert asked.post("/train", json=TRAIN, headers=anna).status_code == 429
    assert asked.post(f"/jobs/{jobs[1].json()['job_id']}/cancel", headers=anna).status_code == 202
    assert used(asked, anna)["jobs"] == {"used": 1, "limit": 2}
    assert used(asked, anna)["running_jobs"] == {"used": 1, "limit": 1}
    assert asked.post("/train", json=TRAIN, headers=anna).status_code == 202


def test_a_request_that_comes_again_gets_its_job_though_there_is_no_room(asked: TestClient, there: Parts) -> None:
    anna = key_of(there, "anna")
    upload(asked, anna)
    keyed = anna | {"Idempotency-Key": "once"}
    job = asked.post("/train", json=TRAIN, headers=keyed).json()
    assert asked.post("/train", json=TRAIN, headers=anna).status_code == 202
    assert asked.post("/train", json=TRAIN, headers=keyed).json()["job_id"] == job["job_id"]


def test_of_requests_at_once_no_more_are_accepted_than_there_is_room(asked: TestClient, there: Parts) -> None:
    anna = key_of(there, "anna")
    upload(asked, anna)
    answers = at_once(*[lambda: asked.post("/train", json=TRAIN, headers=anna).status_code] * 8)
    assert sorted(answers) == [202] * 2 + [429] * 6


def test_what_nobody_owns_has_no_limit(asked: TestClient, there: Parts) -> None:
    upload(asked, {})
    assert {asked.post("/train", json=TRAIN).status_code for _ in range(4)} == {202}
    assert asked.get("/me").json()["limits"] is None
    anna = key_of(there, "anna")
    assert used(asked, anna)["stored_bytes"] == {"used": 0, "limit": MIB}


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_an_upload_that_does_not_fit_is_refused_and_leaves_nothing(asked: TestClient, there: Parts) -> None:
    anna = key_of(there, "anna", Role.ADMIN)
    half = b"x\n" + b"1.25\n" * 110_000
    assert upload(asked, anna, "half", half).status_code == 201
    assert used(asked, anna)["stored_bytes"] == {"used": len(half), "limit": MIB}
    other = upload(asked, anna, "other", half + b"2\n")
    said = refused(other, "MLMINI_STORAGE_MB_PER_OWNER", used=len(half), limit=MIB)
    assert "DELETE /datasets/" in said
    assert asked.get("/datasets/other", headers=anna).status_code == 404
    # The same bytes again take no more room, and a small file fits.
    assert upload(asked, anna, "half", half).status_code == 200
    assert upload(asked, anna).status_code == 201
    with there.database.write() as session:
        session.execute(update(DatasetVersionRow).values(size_bytes=MIB))
    refused(asked.post("/train", json=TRAIN, headers=anna), "MLMINI_STORAGE_MB_PER_OWNER", used=2 * MIB, limit=MIB)
    for name in ("half", "fish"):
        assert asked.delete(f"/datasets/{name}", headers=anna).status_code == 204
    assert used(asked, anna)["stored_bytes"]["used"] == 0


def test_while_the_database_is_away_nobody_is_told_of_limits(
    asked: TestClient, there: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = key_of(there, "anna")
    assert used(asked, anna)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "read", _away)
        assert asked.get("/me", headers=anna).json()["limits"] is None


def _away(_database: Database) -> None:
    raise DatabaseUnavailable


def test_models_and_outputs_count_for_whoever_had_them_made(asked: TestClient, there: Parts, tmp_path: Path) -> None:
    platform = Platform(there.database, there.store, there.settings, there.key, tmp_path)
    version = platform.train(platform.dataset())
    platform.promote(version, "staging")
    batch = add_job(there.database, kind=Kind.PREDICT, request={"version": version}, dataset_name="iris")
    finish_batch(there, batch, tmp_path)
    with there.database.write() as session:
        assert stored_bytes(session, "anna") == 0
        session.execute(update(JobRow).values(owner="anna", share="anna"))
        sizes = session.query(DeploymentRow.size_bytes).all()
        assert stored_bytes(session, "anna") == sum(size for (size,) in sizes) + len(OUTPUT)
        assert len(sizes) == 2
        session.execute(update(PredictionOutputRow).values(removed_at=PredictionOutputRow.created_at))
        assert stored_bytes(session, "anna") == sum(size for (size,) in sizes)
