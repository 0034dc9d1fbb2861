"""The computation of an attempt, with real processes: its limits, its ends, and what it used."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from shared.errors import ComputationCrashed, InternalError, OutOfMemory, PlatformError, ScratchFull, TimeLimitExceeded
from shared.jobs import claims
from shared.jobs.acceptance import accept, cancel, find_job
from shared.jobs.endings import CANCELLED
from shared.jobs.limits import NO_LIMITS, RequestedLimits, limits_of, problems_of_limits
from shared.jobs.rows import JobLogRow, JobRow
from shared.jobs.states import Kind, State
from shared.machine import Machine
from shared.registry.rows import RegistryRow
from shared.sandbox import Sandbox
from shared.settings import Settings
from tests.support.alive import alive
from tests.support.chaos.computations import ignore_signals, state_of
from tests.support.chaos.odd_worker import ENVIRONMENT, MODULE
from tests.support.site import Site
from tests.support.waiting import eventually
from worker.attempt import Attempt
from worker.compute import Allowance, compute
from worker.execution import end_without_effect
from worker.heartbeat import CancelRequested, Heartbeat
from worker.runtime import Runtime

pytestmark = pytest.mark.any_stack

ROOT = Path(__file__).parents[2]
# Longer than a test takes.
ENDLESS = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 10_000}}


@pytest.fixture
def runtime(
    settings: Settings, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runtime]:
    """A runtime whose computing processes do as a file says."""
    settings.home.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    tight = {"database_url": SecretStr(database_url), "job_memory_mb": 256}
    runtime = Runtime(settings.model_copy(update=tight))
    runtime.sandbox.close()
    runtime.sandbox = Sandbox("tests.support.sandbox_entry:main", scratch=tmp_path)
    yield runtime
    runtime.sandbox.close()
    runtime.close()


def attempt_at(runtime: Runtime, folder: Path, order: str) -> Attempt:
    """A claimed job whose computation is to do that."""
    folder.mkdir()
    (folder / "order").write_text(order)
    with runtime.database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
        claim = claims.claim(session, job.id, worker="me", lease_seconds=60)
    assert claim is not None
    heartbeat = Heartbeat(runtime.database, runtime.settings, claim, since=time.monotonic())
    return Attempt(runtime, claim, heartbeat, folder)


def ended(attempt: Attempt) -> tuple[Exception, JobRow]:
    """What the computation ended with, and the job after that."""
    with attempt.heartbeat, pytest.raises((PlatformError, CancelRequested)) as raised:
        compute(attempt)
    end_without_effect(attempt, raised.value)
    with attempt.runtime.database.read() as session:
        return raised.value, find_job(session, attempt.claim.job_id)


@pytest.mark.parametrize("own", [False, True], ids=["of the settings", "of the request"])
def test_a_computation_over_its_time_is_stopped_and_told_whose_limit_it_was(
    runtime: Runtime, tmp_path: Path, own: bool
) -> None:
    runtime.settings = runtime.settings.model_copy(update={"job_seconds": 1.0})
    attempt = attempt_at(runtime, tmp_path / "a", "ignore")
    attempt.claim = replace(attempt.claim, limits=RequestedLimits(seconds=0.5 if own else 900.0))
    error, job = ended(attempt)
    assert isinstance(error, TimeLimitExceeded)
    assert ("the 0.5 s that its request allows" if own else "the 1 s that a job may take here") in error.detail
    assert ("limits.seconds" if own else "MLMINI_JOB_SECONDS") in error.detail
    assert job.error == {"code": "time_limit_exceeded", "message": error.detail}


def test_the_time_of_a_job_begins_with_its_attempt(runtime: Runtime, tmp_path: Path) -> None:
    attempt = attempt_at(runtime, tmp_path / "a", "wait")
    attempt.began_at -= runtime.settings.job_seconds
    error, _ = ended(attempt)
    assert isinstance(error, TimeLimitExceeded)


def test_limits_are_told_in_plain_numbers(settings: Settings) -> None:
    settings = settings.model_copy(update={"job_seconds": 1048577.0, "job_memory_mb": 1048577})
    highest = Allowance(limits_of(NO_LIMITS, settings), limits_of(NO_LIMITS, settings))
    assert "the 1048577 s that a job may take here" in highest.too_long().detail
    assert "the 1,048,577 MiB of memory that a job may use here" in highest.too_much().detail
    seconds, memory = problems_of_limits(RequestedLimits(1048577.5, 2097153), settings)
    assert "at most 1048577, " in seconds.detail
    assert "not 1048577.5." in seconds.detail
    assert "at most 1,048,577, " in memory.detail
    assert "not 2,097,153." in memory.detail


@pytest.mark.parametrize("own", [False, True], ids=["of the settings", "of the request"])
def test_a_computation_over_its_memory_is_told_whose_limit_it_was(runtime: Runtime, tmp_path: Path, own: bool) -> None:
    attempt = attempt_at(runtime, tmp_path / "a", "eat")
    attempt.claim = replace(attempt.claim, limits=RequestedLimits(memory_mb=100 if own else 9000))
    error, job = ended(attempt)
    assert isinstance(error, OutOfMemory)
    assert ("the 100 MiB of memory that its request allows" if own else "the 256 MiB of memory that") in error.detail
    assert ("limits.memory_mb" if own else "MLMINI_JOB_MEMORY_MB") in error.detail
    assert job.status == State.FAILED


def test_a_computation_whose_disk_is_full_is_tried_again(runtime: Runtime, tmp_path: Path) -> None:
    error, job = ended(attempt_at(runtime, tmp_path / "a", "fill"))
    assert isinstance(error, ScratchFull)
    assert (job.status, job.transient_count, job.crash_count) == (State.QUEUED, 1, 0)
    assert job.error is not None
    assert job.error["code"] == "scratch_full"


def test_a_computation_that_fails_unexpectedly_gives_nothing_away(runtime: Runtime, tmp_path: Path) -> None:
    error, job = ended(attempt_at(runtime, tmp_path / "a", "raise"))
    assert isinstance(error, InternalError)
    assert job.error is not None
    assert "ZeroDivisionError" not in job.error["message"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(signal.SIGKILL, "memory"), (signal.SIGSEGV, "Libraries"), (signal.SIGXCPU, "limit of the system")],
)
def test_a_computation_that_is_killed_counts_as_a_crash_that_says_what_to_do(
    runtime: Runtime, tmp_path: Path, number: signal.Signals, told: str
) -> None:
    attempt = attempt_at(runtime, tmp_path / "a", "ignore")
    killer = threading.Thread(target=kill_once_started, args=(tmp_path / "a", number))
    killer.start()
    error, job = ended(attempt)
    killer.join()
    assert isinstance(error, ComputationCrashed)
    assert told in error.detail
    assert (job.status, job.crash_count) == (State.QUEUED, 1)
    assert job.error == {"code": "computation_crashed", "message": error.detail}


def kill_once_started(folder: Path, number: signal.Signals) -> None:
    """Kill the computing process, not what it started."""
    eventually((folder / "started").exists)
    os.kill(psutil.Process(int((folder / "started").read_text())).ppid(), number)


@pytest.mark.parametrize("order", ["ignore", "stick"])
def test_a_cancel_stops_a_computation_that_hears_no_signal(runtime: Runtime, tmp_path: Path, order: str) -> None:
    attempt = attempt_at(runtime, tmp_path / "a", order)
    canceller = threading.Thread(target=cancel_once_started, args=(attempt,))
    canceller.start()
    error, job = ended(attempt)
    canceller.join()
    assert isinstance(error, CancelRequested)
    assert attempt.ending is not None
    assert attempt.ending.signal == signal.SIGKILL
    assert (job.status, job.error) == (State.CANCELLED, CANCELLED.as_json())


@pytest.mark.parametrize("random_state", [42, state_of(ignore_signals)], ids=["a fit", "a fit that hears no signal"])
def test_a_cancel_ends_the_computing_process_soon_and_the_job_as_cancelled(
    installation: Site, random_state: int
) -> None:
    # A beat is no wish to stop: those come on a clock of their own.
    patient = {"MLMINI_BEAT_SECONDS": "15", "MLMINI_LEASE_SECONDS": "60"}
    worker = installation.launch_worker(MODULE, **ENVIRONMENT, **patient)
    job_id = installation.train(ENDLESS, example="breast_cancer", random_state=random_state)
    installation.until_fitting(job_id)
    computing = worker.computations
    assert computing
    with installation.database.write() as session:
        cancel(session, job_id)
    job = installation.until(job_id, State.CANCELLED)
    assert not [each for each in computing if alive(each)]
    assert job.cancel_requested_at is not None
    assert job.finished_at is not None
    # Two seconds are promised; the rest is for a machine that is busy with other tests.
    assert (job.finished_at - job.cancel_requested_at).total_seconds() < 6
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RegistryRow)) == 0


def test_an_estimator_that_computes_in_threads_of_its_own_is_fitted_in_a_forked_process(installation: Site) -> None:
    # Threads of OpenMP that were there before the fork would be waited for and never come.
    installation.start_worker()
    choice = {"module": "ensemble", "class": "HistGradientBoostingClassifier", "params": {"max_iter": 5}}
    installation.until(installation.train(choice), State.SUCCEEDED)
    with installation.database.read() as session:
        said = [line.text for line in session.scalars(select(JobLogRow))]
    assert not [line for line in said if "number of physical cores" in line]


def test_members_of_a_model_are_fitted_at_once_where_a_job_has_several_cores(installation: Site) -> None:
    # joblib's threads take locks, which an isolated process cannot have from the system.
    installation.start_worker()
    choice = {"module": "ensemble", "class": "BaggingClassifier", "params": {"n_estimators": 4}}
    limits = RequestedLimits(cpus=2)
    installation.until(installation.train(choice, limits=limits), State.SUCCEEDED)


def cancel_once_started(attempt: Attempt) -> None:
    """As a client does in the middle of a computation."""
    eventually((attempt.folder / "started").exists)
    with attempt.runtime.database.write() as session:
        cancel(session, attempt.claim.job_id)


@pytest.mark.parametrize("order", ["work and raise", "ignore"], ids=["failed", "stopped"])
def test_what_an_attempt_used_is_on_the_job_however_it_ends(runtime: Runtime, tmp_path: Path, order: str) -> None:
    runtime.settings = runtime.settings.model_copy(update={"job_seconds": 60.0 if order != "ignore" else 0.2})
    _, job = ended(attempt_at(runtime, tmp_path / "a", order))
    assert job.usage is not None
    assert re.fullmatch("cpu_seconds cpus peak_memory_mb wall_seconds", " ".join(sorted(job.usage)))
    assert all(value is not None for value in job.usage.values())
    assert job.usage["wall_seconds"] >= job.usage["cpu_seconds"] >= (0.3 if order != "ignore" else 0)


@pytest.mark.parametrize(
    "numbers",
    [(None, 64, 2), (3, 64, 3), (8, 64, 4), (3, 2, 2)],
    ids=["its share", "more than its share", "no more than these", "a stricter setting"],
)
def test_a_computation_gets_the_cores_that_it_asks_for_where_there_are_so_many(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: tuple[int | None, int, int]
) -> None:
    asked, most, cores = numbers
    monkeypatch.setattr("worker.attempt.this_machine", lambda: Machine(cores=4, memory_mb=8192))
    runtime.settings = runtime.settings.model_copy(update={"worker_slots": 2, "job_cpus": most})
    attempt = attempt_at(runtime, tmp_path / "a", "raise")
    attempt.claim = replace(attempt.claim, limits=RequestedLimits(cpus=asked))
    _, job = ended(attempt)
    assert (attempt.threads, (job.usage or {})["cpus"]) == (cores, cores)
    with runtime.database.read() as session:
        said = [line.text for line in session.scalars(select(JobLogRow))]
    assert [line for line in said if "asked for" in line] == (
        [] if asked is None else [f"may use {cores} cores, of {asked} asked for"]
    )


def test_an_attempt_without_a_computation_has_its_time_only(runtime: Runtime, tmp_path: Path) -> None:
    attempt = attempt_at(runtime, tmp_path / "a", "answer")
    end_without_effect(attempt, OSError(28, "No space left on device"))
    with runtime.database.read() as session:
        job = find_job(session, attempt.claim.job_id)
    assert job.usage is not None
    assert [job.usage[name] for name in ("peak_memory_mb", "cpu_seconds", "cpus")] == [None] * 3
    assert job.error is not None
    assert job.error["code"] == "scratch_full"
