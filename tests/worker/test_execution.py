"""How an attempt commits and ends, step by step, on both databases."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.counters import CounterRow, raise_counter
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.errors import DatabaseUnavailable, FitFailed, ScratchFull
from shared.jobs import claims
from shared.jobs.acceptance import accept, cancel, find_job
from shared.jobs.claims import Claim, Fenced
from shared.jobs.rescue import rescue
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.machine import Machine
from shared.settings import Settings
from tests.support.jobs import add_job, claim_job, finish_job, log_of
from tests.support.training_tables import spec_of
from tests.support.waiting import eventually
from worker import execution
from worker.attempt import Attempt, Effect
from worker.execution import commit, end_without_effect
from worker.handover import WORK_FILE, Work
from worker.heartbeat import Heartbeat
from worker.runtime import Runtime, Stopping
from worker.tasks import promote, train


@pytest.fixture
def runtime(settings: Settings, database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    """Everything an attempt needs; Redis is not among it."""
    settings.home.mkdir()
    runtime = Runtime(settings.model_copy(update={"database_url": SecretStr(database_url)}))
    yield runtime
    runtime.close()


@pytest.fixture
def attempt(runtime: Runtime, tmp_path: Path) -> Attempt:
    """An attempt that has everything ready; its heartbeat knows only what it is told."""
    claim = claimed(runtime.database)
    return Attempt(
        runtime, claim, Heartbeat(runtime.database, runtime.settings, claim, since=time.monotonic()), tmp_path
    )


def claimed(database: Database) -> Claim:
    with database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
        claim = claims.claim(session, job.id, worker="me", lease_seconds=60)
    assert claim is not None
    return claim


def after_an_attempt(runtime: Runtime) -> JobRow:
    """A job that has been tried once."""
    claim = claimed(runtime.database)
    execution.run_attempt(runtime, claim, since=time.monotonic())
    with runtime.database.read() as session:
        return find_job(session, claim.job_id)


def count_up(session: Session) -> dict[str, object]:
    """An effect that can be counted."""
    return {"version": raise_counter(session, "model_version")}


def finish(attempt: Attempt) -> None:
    """As the execution does it."""
    try:
        commit(attempt, count_up)
    except Exception as error:  # noqa: BLE001 - as in the execution
        end_without_effect(attempt, error)


def job_of(attempt: Attempt) -> JobRow:
    with attempt.runtime.database.read() as session:
        return find_job(session, attempt.claim.job_id)


def effects(attempt: Attempt) -> int:
    with attempt.runtime.database.read() as session:
        return session.get_one(CounterRow, "model_version").value


def unavailable(monkeypatch: pytest.MonkeyPatch, database: Database, *, after_commit: bool) -> None:
    """Make the next writing transaction end in an outage, before or after its commit."""
    real = database.write
    turns = iter([True])

    @contextmanager
    def write() -> Iterator[Session]:
        with real() as session:
            yield session
            if not after_commit and next(turns, False):
                raise DatabaseUnavailable
        if after_commit and next(turns, False):
            raise DatabaseUnavailable

    monkeypatch.setattr(database, "write", write)


def test_a_commit_writes_the_effect_and_the_end_together(attempt: Attempt) -> None:
    finish(attempt)
    job = job_of(attempt)
    assert (job.status, job.result, effects(attempt)) == (State.SUCCEEDED, {"version": 1}, 1)


@pytest.mark.parametrize("after_commit", [False, True], ids=["before the commit", "after the commit"])
def test_an_outage_at_the_commit_neither_loses_nor_doubles_the_effect(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, after_commit: bool
) -> None:
    unavailable(monkeypatch, attempt.runtime.database, after_commit=after_commit)
    finish(attempt)
    assert (job_of(attempt).status, effects(attempt)) == (State.SUCCEEDED, 1)


@pytest.mark.parametrize("after_commit", [False, True], ids=["before the commit", "after the commit"])
def test_an_outage_at_the_commit_neither_loses_nor_doubles_a_line(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, after_commit: bool
) -> None:
    attempt.say("one")
    unavailable(monkeypatch, attempt.runtime.database, after_commit=after_commit)
    finish(attempt)
    assert log_of(attempt.runtime.database, attempt.claim.job_id) == ["one", "registered as version 1"]


def test_lines_that_the_heartbeat_writes_at_the_same_time_are_kept_once(attempt: Attempt) -> None:
    said = [f"line {number}" for number in range(300)]
    with attempt.heartbeat:
        for text in said[:200]:
            attempt.say(text)
        eventually(lambda: log_of(attempt.runtime.database, attempt.claim.job_id))
        for text in said[200:]:
            attempt.say(text)
        finish(attempt)
        assert log_of(attempt.runtime.database, attempt.claim.job_id) == [*said, "registered as version 1"]


def test_a_cancel_that_comes_just_before_the_commit_ends_the_job_as_cancelled_at_once(attempt: Attempt) -> None:
    with attempt.runtime.database.write() as session:
        cancel(session, attempt.claim.job_id)
    finish(attempt)
    assert (job_of(attempt).status, effects(attempt)) == (State.CANCELLED, 0)


def test_an_attempt_that_lost_its_job_writes_nothing(attempt: Attempt) -> None:
    with attempt.runtime.database.write() as session:
        session.execute(update(JobRow).values(lease_until=Now(-1)))
        rescue(session, attempt.claim.job_id, actor="other", max_crashes=3)
    attempt.say("too late")
    finish(attempt)
    job = job_of(attempt)
    assert (job.status, job.epoch, effects(attempt)) == (State.QUEUED, 2, 0)
    assert log_of(attempt.runtime.database, job.id) == []


def test_an_attempt_that_another_one_overtook_is_not_told_that_it_committed(attempt: Attempt) -> None:
    database, job_id = attempt.runtime.database, attempt.claim.job_id
    with database.write() as session:
        session.execute(update(JobRow).values(lease_until=Now(-1)))
        rescue(session, job_id, actor="other", max_crashes=3)
    finish_job(database, job_id)
    with pytest.raises(Fenced):
        commit(attempt, count_up)
    assert effects(attempt) == 0


def test_the_lease_counts_from_before_the_claim_was_asked_for(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked, counted = claims.claim, [], []

    def claim(*arguments: Any, **named: Any) -> Claim | None:
        asked.append(time.monotonic())
        return real(*arguments, **named)

    def run_attempt(_runtime: Runtime, _claim: Claim, *, since: float) -> None:
        counted.append(since)

    monkeypatch.setattr(claims, "claim", claim)
    monkeypatch.setattr(execution, "run_attempt", run_attempt)
    execution.execute_in_slot(runtime, add_job(runtime.database))
    assert counted[0] <= asked[0]


def test_a_worker_that_is_told_of_a_job_runs_the_one_whose_turn_it_is(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[UUID] = []
    monkeypatch.setattr(execution, "run_attempt", lambda _runtime, claim, **_: ran.append(claim.job_id))
    first, second = (add_job(runtime.database, owner="anna") for _ in range(2))
    other = add_job(runtime.database, owner="bert")
    assert [execution.execute(runtime, told) for told in (first, second, other)] == [first, other, second]
    assert ran == [first, other, second]


def test_a_computation_is_given_its_share_of_the_cores(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = spec_of("svm.SVC").to_store()
    claim = claim_job(runtime.database, add_job(runtime.database, kind=Kind.TRAIN, request=request))
    attempt = Attempt(runtime, claim, Heartbeat(runtime.database, runtime.settings, claim, since=0), tmp_path)
    source = DatasetVersionRow(reading={"format": "csv"}, columns=[], findings=[], rows=3)
    for slots, cores, threads in ((2, 7, 3), (2, 1, 1), (1, 7, 7)):
        runtime.settings = runtime.settings.model_copy(update={"worker_slots": slots})
        monkeypatch.setattr("worker.attempt.this_machine", lambda cores=cores: Machine(cores, memory_mb=1))
        train._hand_over(attempt, spec_of("svm.SVC"), source)
        assert Work.model_validate_json((tmp_path / WORK_FILE).read_bytes()).threads == threads


def test_an_effect_that_is_refused_leaves_nothing_of_itself(attempt: Attempt) -> None:
    def refuse(session: Session) -> dict[str, object]:
        count_up(session)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        commit(attempt, refuse)
    end_without_effect(attempt, ArithmeticError())
    job = job_of(attempt)
    assert (job.status, effects(attempt)) == (State.FAILED, 0)
    assert job.error is not None
    assert job.error["code"] == "internal_error"


def test_a_worker_that_stops_commits_nothing_more(attempt: Attempt) -> None:
    attempt.runtime.stopping.set()
    finish(attempt)
    job = job_of(attempt)
    assert (job.status, job.crash_count, effects(attempt)) == (State.QUEUED, 0, 0)


def test_an_end_that_the_database_does_not_take_at_first_is_written_later(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    unavailable(monkeypatch, attempt.runtime.database, after_commit=False)
    end_without_effect(attempt, Stopping())
    assert job_of(attempt).status == State.QUEUED


def test_a_failed_job_shows_how_far_it_came_and_one_that_goes_back_starts_again(
    runtime: Runtime, tmp_path: Path
) -> None:
    for error, progress in (
        (FitFailed("no"), {"percent": 40, "step": "fitting"}),
        (Stopping(), {"percent": 0, "step": "queued"}),
    ):
        claim = claimed(runtime.database)
        heartbeat = Heartbeat(runtime.database, runtime.settings, claim, since=time.monotonic())
        attempt = Attempt(runtime, claim, heartbeat, tmp_path)
        attempt.show(40, "fitting")
        end_without_effect(attempt, error)
        assert job_of(attempt).progress == progress


@pytest.mark.parametrize("full", [True, False], ids=["full under way", "full at the end"])
def test_the_files_of_an_attempt_leave_the_full_disk_before_its_end_is_written(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    """The disk of the database, as SQLite shares it with the scratch folder, takes nothing while they are there."""
    runtime.settings = runtime.settings.model_copy(update={"lease_seconds": 1.0, "beat_seconds": 0.3})
    files: list[Path] = []

    def work(attempt: Attempt) -> Effect:
        files.append(attempt.folder / "model.pkl")
        files[0].write_bytes(b"x")
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return count_up

    def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if files and files[0].exists() and statement.startswith(("UPDATE", "INSERT", "DELETE")):
            raise DatabaseUnavailable("database or disk is full")

    monkeypatch.setattr(train, "run", work)
    claim = claimed(runtime.database)
    event.listen(runtime.database.engine, "before_cursor_execute", refuse)
    execution.run_attempt(runtime, claim, since=time.monotonic())
    with runtime.database.read() as session:
        job = find_job(session, claim.job_id)
    assert job.status == (State.QUEUED if full else State.SUCCEEDED)
    assert not full or job.error == {"code": "scratch_full", "message": ScratchFull().detail}


@pytest.mark.parametrize("under_way", [True, False], ids=["under way", "before"])
def test_a_job_whose_scratch_folder_is_removed_is_tried_again(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, under_way: bool
) -> None:
    def work(attempt: Attempt) -> Effect:
        shutil.rmtree(runtime.scratch.folder)
        (attempt.folder / "model.pkl").write_bytes(b"x")
        return count_up

    monkeypatch.setattr(train, "run", work)
    if not under_way:
        shutil.rmtree(runtime.scratch.folder)
    job = after_an_attempt(runtime)
    assert job.status == State.QUEUED
    assert job.error is not None
    assert job.error["code"] == "scratch_unavailable"
    assert str(runtime.scratch.folder) not in job.error["message"]


def test_an_error_of_a_file_elsewhere_is_not_an_error_of_the_scratch_folder(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(attempt: Attempt) -> Effect:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(train, "run", work)
    job = after_an_attempt(runtime)
    assert job.status == State.FAILED
    assert job.error is not None
    assert job.error["code"] == "internal_error"


def test_a_job_that_meets_a_damaged_database_waits_and_no_try_of_it_is_counted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = add_job(runtime.database)

    def meet_damage(attempt: Attempt) -> Effect:
        with attempt.runtime.database.write() as session:
            session.execute(text("SELECT * FROM a_table_that_is_missing"))
        raise AssertionError

    monkeypatch.setattr(promote, "run", meet_damage)
    execution.execute_in_slot(runtime, job_id)
    # As long as the damage is fresh no job is begun.
    for _ in range(3):
        execution.execute_in_slot(runtime, job_id)
    with runtime.database.read() as session:
        job = find_job(session, job_id)
    assert (job.status, job.attempt, job.transient_count, job.crash_count) == (State.QUEUED, 1, 0, 0)
    assert "the job goes back to the queue: The SQL database is damaged" in log_of(runtime.database, job_id)[-1]
    runtime.database.damaged_at = time.monotonic() - 3600

    def promoted(session: Session) -> dict[str, object]:
        return {**count_up(session), "stage": "staging", "serving_version": 1}

    monkeypatch.setattr(promote, "run", lambda _: promoted)
    execution.execute_in_slot(runtime, job_id)
    with runtime.database.read() as session:
        assert find_job(session, job_id).status == State.SUCCEEDED
