"""Computations that die, do not end, want too much or leave something behind; and people who cancel."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from shared.jobs.states import TERMINAL, State
from tests.support.alive import alive
from tests.support.busy_folders import below
from tests.support.chaos import computations
from tests.support.chaos.backends import LOCAL, SQLITE, Backends, Kind
from tests.support.chaos.computations import STARTED, state_of
from tests.support.chaos.odd_worker import ENVIRONMENT, MODULE
from tests.support.chaos.scenario import CHEAP, LONG, SLOW, Scenario, scenario
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

FEW = {"limits": {"memory_mb": 256}}


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two workers of two slots, whose computations may be asked to misbehave."""
    folder = tmp_path_factory.mktemp("computations")
    with scenario(backends, Kind(SQLITE, LOCAL), folder, workers=0, worker_slots=2) as made:
        for _ in range(2):
            made.cluster.launch_worker(MODULE, **ENVIRONMENT)
        made.settle()
        yield made


@pytest.mark.rows(30)
def test_a_job_that_kills_its_computation_each_time_is_quarantined_and_others_go_on(stage: Scenario) -> None:
    poison = stage.train(random_state=state_of(computations.crash))
    others = [stage.train() for _ in range(4)]
    error = stage.error_of(poison, State.QUARANTINED)
    assert error["code"] == "computation_crashed"
    assert "another estimator" in error["message"]
    assert (stage.job(poison).crash_count, stage.job(poison).attempt) == (3, 3)
    for job_id in others:
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()


@pytest.mark.rows(29)
@pytest.mark.parametrize(
    ("act", "state", "code", "says"),
    [
        (computations.want_memory, State.FAILED, "out_of_memory", "256 MiB"),
        (computations.raise_memory_error, State.FAILED, "out_of_memory", "smaller model"),
        (computations.be_killed, State.QUARANTINED, "computation_crashed", "memory"),
    ],
    ids=["limit", "MemoryError", "SIGKILL"],
)
def test_a_computation_without_memory_ends_with_what_to_do(
    stage: Scenario, act: Callable[[Path], None], state: State, code: str, says: str
) -> None:
    job_id = stage.train(random_state=state_of(act), **FEW)
    error = stage.error_of(job_id, state)
    assert error["code"] == code
    assert says in error["message"]
    assert stage.job(job_id).attempt == (3 if state is State.QUARANTINED else 1)
    stage.settle()


@pytest.mark.rows(31)
@pytest.mark.parametrize("how", ["cancel", "limit"])
def test_a_fit_that_ignores_signals_is_ended_all_the_same(stage: Scenario, how: str) -> None:
    limits = {} if how == "cancel" else {"limits": {"seconds": 1}}
    job_id = stage.train(random_state=state_of(computations.ignore_signals), **limits)
    if how == "cancel":
        stage.cluster.site.until_fitting(job_id)
        stage.client.cancel(job_id)
        stage.until(job_id, State.CANCELLED)
    else:
        error = stage.error_of(job_id)
        assert error["code"] == "time_limit_exceeded"
        assert "1 s" in error["message"]
    eventually(lambda: not stage.computations(), what="no computation is left")
    stage.settle()


def test_what_a_computation_started_ends_with_it(stage: Scenario) -> None:
    job_id = stage.train(random_state=state_of(computations.leave_processes))
    stage.until(job_id, State.SUCCEEDED)
    lines = stage.client.get(f"/jobs/{job_id}/logs").text.splitlines()
    started = [int(line.rpartition(STARTED)[2]) for line in lines if STARTED in line]
    assert len(started) == 2
    eventually(lambda: not any(alive(pid) for pid in started), what="nothing outlives the computation")
    stage.settle()


def test_a_computation_that_prints_without_end_fills_no_disk_and_its_log_says_that_it_was_cut(stage: Scenario) -> None:
    job_id = stage.train(random_state=state_of(computations.fill_the_log))
    most = 0
    while stage.job(job_id).status not in TERMINAL:
        most = max(most, sum(status.st_size for status in below(stage.cluster.settings.scratch).values()))
    stage.until(job_id, State.SUCCEEDED)
    assert most < 48 * computations.MIB, "more than 80 MiB were printed and said"
    log = stage.client.get(f"/jobs/{job_id}/logs")
    lines = log.text.splitlines()
    assert len(lines) <= stage.cluster.settings.job_log_lines + 1
    assert any("cut" in line for line in lines), lines[-3:]
    stage.settle()


@pytest.mark.thorough
@pytest.mark.rows(26)
def test_jobs_that_are_cancelled_at_random_times_end_and_none_of_them_succeeds_afterwards(stage: Scenario) -> None:
    rng = Random(26)  # noqa: S311 - it is to be repeatable
    jobs: list[UUID] = []
    cancelled: list[UUID] = []
    for number in range(24 if LONG else 12):
        jobs.append(stage.train(CHEAP if number % 4 else SLOW))
        if rng.random() < 0.6:
            chosen = rng.choice(jobs)
            if stage.client.cancel(chosen).status == 202:
                cancelled.append(chosen)
    stage.settle()
    assert cancelled
    assert {stage.job(job_id).status for job_id in cancelled} == {State.CANCELLED}
    assert all(stage.job(job_id).status in {State.CANCELLED, State.SUCCEEDED} for job_id in jobs)
