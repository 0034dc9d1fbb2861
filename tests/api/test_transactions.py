"""A response is sent after the commit, and no transaction begins before it is needed."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from api.dependencies import PartsDep, ReadSession, WriteSession
from shared.clock import Now
from shared.jobs.rows import IdempotencyKeyRow
from shared.settings import Settings
from tests.support.stack import NO_REDIS

_RAISE = text("UPDATE counters SET value = value + 1 WHERE name = 'model_version'")


def _trial(settings: Settings) -> FastAPI:
    """The application with routes that write."""
    app = create_app(settings)

    @app.post("/write")
    def write(session: WriteSession) -> str:
        session.execute(_RAISE)
        return "written"

    @app.post("/write-and-fail")
    def write_and_fail(session: WriteSession) -> None:
        session.execute(_RAISE)
        raise RuntimeError

    @app.post("/write-and-lose-the-connection")
    def write_and_lose(session: WriteSession, parts: PartsDep) -> str:
        session.execute(_RAISE)
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with parts.database.write() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        return "written"

    @app.post("/orphan")
    def add_orphan(session: WriteSession) -> str:
        # That its job is missing is only checked at the commit.
        session.add(IdempotencyKeyRow(principal="a", key="b", fingerprint="c", job_id=uuid4(), expires_at=Now()))
        session.flush()
        return "written"

    @app.post("/idle")
    def idle(session: WriteSession, parts: PartsDep) -> str:
        # Would wait for the lock, in vain, if the transaction of `session` had begun.
        with parts.database.write() as other:
            other.execute(_RAISE)
        session.execute(_RAISE)
        return "written"

    @app.get("/value")
    def value(session: ReadSession) -> int:
        return int(session.execute(text("SELECT value FROM counters WHERE name = 'model_version'")).scalar_one())

    @app.get("/keys")
    def count_keys(session: ReadSession) -> int:
        return int(session.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one())

    return app


@pytest.fixture
def trial(api_settings: Settings) -> Iterator[TestClient]:
    """A client of the application with routes that write."""
    with TestClient(_trial(api_settings)) as client:
        yield client


def test_what_an_endpoint_writes_is_there_when_the_answer_is(trial: TestClient) -> None:
    assert trial.post("/write").json() == "written"
    assert trial.get("/value").json() == 1


@pytest.mark.asvs("2.3.3")
def test_an_error_takes_everything_back(trial: TestClient) -> None:
    assert trial.post("/write-and-fail").status_code == 500
    assert trial.get("/value").json() == 0


def test_a_transaction_begins_with_its_first_statement(trial: TestClient) -> None:
    assert trial.post("/idle").json() == "written"
    assert trial.get("/value").json() == 2


@pytest.mark.asvs("16.5.3")
def test_a_commit_that_the_database_refuses_is_never_answered_as_a_success(trial: TestClient) -> None:
    assert trial.post("/orphan").status_code == 500
    # The connection is back in the pool, and nothing of the failed transaction is left on it.
    assert trial.get("/keys").json() == 0
    assert trial.post("/write").json() == "written"


def test_a_connection_that_is_lost_before_the_commit_is_a_503(postgres_url: str, tmp_path: Path) -> None:
    # SQLite has no connection that could be lost.
    settings = Settings(home=tmp_path, database_url=SecretStr(postgres_url), redis_url=NO_REDIS)
    with TestClient(_trial(settings), base_url="http://localhost") as trial:
        answer = trial.post("/write-and-lose-the-connection")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert trial.get("/value").json() == 0
        assert trial.post("/write").json() == "written"
