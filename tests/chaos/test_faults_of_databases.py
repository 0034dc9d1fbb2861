"""The database is restarted, locked or not to be reached, and a worker's clock is wrong: on PostgreSQL.

With MLMINI_CHAOS=long the lock is held for 20 s, which is longer than anybody waits for it, else for somewhat longer
than a lease.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.engine import make_url

from shared.jobs.states import State
from tests.support.chaos.backends import LOCAL, POSTGRESQL, Backends, Kind
from tests.support.chaos.network import DATABASE
from tests.support.chaos.odd_worker import ENVIRONMENT
from tests.support.chaos.scenario import CHEAP, SLOW, Scenario, locked_while_a_job_runs, scenario
from tests.support.chaos.shifted_worker import MODULE
from tests.support.proxy import Proxy, proxy_to
from tests.support.site import Worker
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

HOUR_SECONDS = 3600


@dataclass
class Far(Scenario):
    """A scenario with a worker that has a way of its own to the database."""

    far: Worker
    to_database: Proxy


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """A worker as all others, and one that can be cut off alone."""
    folder, changes = tmp_path_factory.mktemp("databases"), {"worker_slots": 1, "max_crashes": 9}
    with ExitStack() as stack:
        made = stack.enter_context(scenario(backends, Kind(POSTGRESQL, LOCAL), folder, workers=1, **changes))
        to_database = stack.enter_context(proxy_to(backends.postgres.port))
        url = make_url(made.cluster.site.settings.sqlalchemy_url).set(port=to_database.port)
        far = made.cluster.launch_worker(MLMINI_DATABASE_URL=str(url))
        made.settle()
        yield Far(made.cluster, made.journal, made.client, far, to_database)


def taken_by(stage: Far, worker: Worker) -> UUID:
    """A slow job that this very worker has, in the midst of its fit."""
    with stage.without_workers(but=worker):
        job_id = stage.train(SLOW)
        stage.cluster.site.until_fitting(job_id)
    return job_id


def expect_off(worker: Worker, seconds: int) -> None:
    """The worker's own clock is wrong by so much, as its log shows."""
    line = next(line for line in worker.log.splitlines() if '"upkeep_started"' in line)
    written = datetime.fromisoformat(json.loads(line)["timestamp"])
    assert abs((written - datetime.now(UTC)).total_seconds() - seconds) < HOUR_SECONDS / 2


@pytest.mark.rows(33)
def test_a_worker_that_loses_the_database_ends_its_attempt_and_another_finishes(stage: Far) -> None:
    job_id = taken_by(stage, stage.far)
    stage.to_database.down()
    eventually(lambda: not stage.computations(stage.far), timeout=60, what="its computation has ended")
    job = stage.until(job_id, State.SUCCEEDED)
    assert job.attempt >= 2
    stage.to_database.heal()
    stage.settle()


@pytest.mark.thorough
@pytest.mark.rows(18)
def test_a_database_that_is_restarted_under_load_loses_nothing(stage: Far) -> None:
    running = stage.train(SLOW)
    stage.cluster.site.until_fitting(running)
    jobs = [running]
    # The client asks again with the same key for as long as it has no answer.
    crowd = [threading.Thread(target=lambda: jobs.append(stage.train(CHEAP))) for _ in range(6)]
    for thread in crowd[:3]:
        thread.start()
    stage.cluster.backends.postgres.stop()
    for thread in crowd[3:]:
        thread.start()
    stage.cluster.backends.postgres.start()
    for thread in crowd:
        thread.join()
    assert len(jobs) == 7
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()


@pytest.mark.rows(19)
def test_a_database_that_is_locked_holds_jobs_up_and_loses_none(stage: Far) -> None:
    locked_while_a_job_runs(stage)


@pytest.mark.thorough
@pytest.mark.rows(33)
def test_behind_a_black_hole_before_the_database_nobody_writes_and_everything_goes_on_afterwards(stage: Far) -> None:
    running = stage.train(SLOW)
    stage.cluster.site.until_fitting(running)
    stage.cluster.proxies[DATABASE].black_hole = True
    stage.to_database.black_hole = True
    eventually(lambda: not stage.computations(), timeout=60, what="the lease is over")
    assert stage.job(running).status == State.RUNNING
    stage.cluster.proxies[DATABASE].heal()
    stage.to_database.heal()
    stage.until(running, State.SUCCEEDED)
    stage.settle()


@pytest.mark.rows(28)
@pytest.mark.thorough
@pytest.mark.parametrize("seconds_off", [HOUR_SECONDS, -HOUR_SECONDS], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_off_by_an_hour_keeps_its_leases_and_takes_nobody_elses(
    stage: Far, seconds_off: int
) -> None:
    wrong = stage.cluster.site.launch_worker(f"{MODULE} {seconds_off}", **ENVIRONMENT)
    eventually(lambda: wrong.is_ready or wrong.process.poll() is not None, timeout=60)
    assert wrong.process.poll() is None, wrong.log
    expect_off(wrong, seconds_off)
    own = taken_by(stage, wrong)
    others = [stage.train() for _ in range(4)]
    for job_id in (own, *others):
        job = stage.until(job_id, State.SUCCEEDED)
        assert job.crash_count == 0
    assert wrong.terminate(timeout=20) == 0
    stage.settle()
