"""The heartbeat of one attempt, on both databases."""

import threading
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from shared.clock import Now
from shared.database import Database
from shared.jobs import claims
from shared.jobs.acceptance import accept, cancel, find_job
from shared.jobs.claims import Claim, Fenced
from shared.jobs.rescue import rescue
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.settings import Settings
from tests.support.proxy import proxy_to
from tests.support.servers import PostgreSQL
from tests.support.waiting import eventually
from worker.heartbeat import CancelRequested, Heartbeat


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": 1.5, "beat_seconds": 0.1})


def heart_of(database: Database, settings: Settings, claim: Claim) -> Heartbeat:
    return Heartbeat(database, settings, claim, since=time.monotonic())


@pytest.fixture
def claim(database: Database) -> Claim:
    with database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
        taken = claims.claim(session, job.id, worker="me", lease_seconds=1.5)
    assert taken is not None
    return taken


def raised_by(heartbeat: Heartbeat) -> type[Exception] | None:
    try:
        heartbeat.check()
    except (Fenced, CancelRequested) as error:
        return type(error)
    return None


def lease_of(database: Database, job_id: UUID) -> datetime:
    with database.read() as session:
        until = find_job(session, job_id).lease_until
    assert until is not None
    return until


def test_it_renews_the_lease_for_as_long_as_the_attempt_runs(database: Database, quick: Settings, claim: Claim) -> None:
    first = lease_of(database, claim.job_id)
    with heart_of(database, quick, claim) as heartbeat:
        # Longer than the lease that the claim gave.
        eventually(lambda: (lease_of(database, claim.job_id) - first).total_seconds() > 1.2 * quick.lease_seconds)
        assert raised_by(heartbeat) is None
    assert f"heartbeat-{claim.job_id}" not in {each.name for each in threading.enumerate()}


def test_a_renewed_lease_counts_from_before_it_was_asked_for(
    database: Database, quick: Settings, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, asked = claims.beat, []

    def beat(*arguments: Any, **named: Any) -> bool:
        asked.append(time.monotonic())
        return renew(*arguments, **named)

    monkeypatch.setattr(claims, "beat", beat)
    heartbeat = heart_of(database, quick, claim)
    heartbeat._renew()
    assert heartbeat._deadline <= asked[0] + quick.lease_seconds


def test_it_notices_a_cancellation(database: Database, quick: Settings, claim: Claim) -> None:
    with heart_of(database, quick, claim) as heartbeat:
        with database.write() as session:
            cancel(session, claim.job_id)
        eventually(lambda: raised_by(heartbeat) is CancelRequested)


def test_it_notices_that_the_job_was_rescued(database: Database, quick: Settings, claim: Claim) -> None:
    with heart_of(database, quick, claim) as heartbeat:
        with database.write() as session:
            session.execute(update(JobRow).values(lease_until=Now(-1)))
            rescue(session, claim.job_id, actor="other", max_crashes=3)
        eventually(lambda: raised_by(heartbeat) is Fenced)


def test_without_a_database_it_gives_up_when_the_lease_may_be_over(
    quick: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = Database(f"sqlite:///{tmp_path_factory.mktemp('gone') / 'no' / 'folder.db'}")
    claim = Claim(UUID(int=1), 1, "me", Kind.TRAIN, {}, "iris", None)
    with heart_of(nowhere, quick, claim) as heartbeat:
        assert raised_by(heartbeat) is None
        eventually(lambda: raised_by(heartbeat) is Fenced)
    nowhere.close()


def test_the_time_that_the_claim_itself_took_counts(quick: Settings, database: Database, claim: Claim) -> None:
    late = Heartbeat(database, quick, claim, since=time.monotonic() - quick.lease_seconds)
    assert late.lease_is_over


def test_it_shows_progress_on_the_job(database: Database, quick: Settings, claim: Claim) -> None:
    def shown() -> dict[str, object]:
        with database.read() as session:
            return find_job(session, claim.job_id).progress

    with heart_of(database, quick, claim) as heartbeat:
        heartbeat.show(40, "fitting")
        eventually(lambda: shown() == {"percent": 40, "step": "fitting"})


def test_a_database_that_swallows_every_answer_does_not_hold_up_the_attempt(
    postgres: PostgreSQL, postgres_url: str, quick: Settings
) -> None:
    with proxy_to(postgres.port) as proxy:
        database = Database(postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/"))
        with database.write() as session:
            job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
            claim = claims.claim(session, job.id, worker="me", lease_seconds=1.5)
        assert claim is not None
        proxy.silent = True
        heartbeat = heart_of(database, quick, claim)
        with heartbeat:
            heartbeat.show(40, "fitting")
            eventually(lambda: raised_by(heartbeat) is Fenced)
        name = postgres_url.rpartition("/")[2]
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - made by this test
        name = f"heartbeat-{claim.job_id}"
        eventually(
            lambda: name not in {each.name for each in threading.enumerate()},
            what="the thread ends once its connection is gone",
        )
    database.close()


def test_the_percentage_never_falls_in_an_attempt(database: Database, quick: Settings, claim: Claim) -> None:
    heartbeat = heart_of(database, quick, claim)
    heartbeat.show(40, "fitting", estimated=True)
    heartbeat.show(30, "fitting")
    assert heartbeat.progress == (40, "fitting", False)


def test_an_estimate_is_marked_as_one_on_the_job(database: Database, quick: Settings, claim: Claim) -> None:
    def shown() -> dict[str, object]:
        with database.read() as session:
            return find_job(session, claim.job_id).progress

    with heart_of(database, quick, claim) as heartbeat:
        heartbeat.show(40, "fitting", estimated=True)
        eventually(lambda: shown() == {"percent": 40, "step": "fitting", "estimated": True})
        heartbeat.show(80, "evaluating")
        eventually(lambda: shown() == {"percent": 80, "step": "evaluating"})


def test_a_fault_in_one_round_does_not_end_it(
    database: Database, quick: Settings, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, faults = claims.beat, [MemoryError(), RuntimeError("once")]

    def stumble(*arguments: Any, **named: Any) -> bool:
        if faults:
            raise faults.pop()
        return renew(*arguments, **named)

    monkeypatch.setattr(claims, "beat", stumble)
    with heart_of(database, quick, claim) as heartbeat:
        eventually(lambda: not faults)
        with database.write() as session:
            cancel(session, claim.job_id)
        eventually(lambda: raised_by(heartbeat) is CancelRequested)
