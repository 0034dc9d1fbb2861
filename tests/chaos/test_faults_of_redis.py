"""Redis dies, stands still or is not there at the other end: jobs are accepted and run all the same.

With MLMINI_CHAOS=long it is away for as long as the fault list has it, else for a few seconds.
"""

from collections.abc import Iterator
from uuid import UUID

import psutil
import pytest

from shared.jobs.states import State
from tests.support.chaos.backends import LOCAL, SQLITE, Backends, Kind
from tests.support.chaos.network import REDIS
from tests.support.chaos.scenario import LONG, Scenario, scenario, seconds
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

DUMMY = {"module": "dummy", "class": "DummyClassifier", "params": {}}
# The most that a client waits for an answer; less than what Redis is given to answer in.
PATIENCE_SECONDS = 4


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two workers."""
    with scenario(backends, Kind(SQLITE, LOCAL), tmp_path_factory.mktemp("redis"), workers=2, worker_slots=2) as made:
        made.settle()
        yield made


@pytest.mark.rows(13)
@pytest.mark.parametrize("away", [0, 3, 30] if LONG else [0, pytest.param(2, marks=pytest.mark.thorough)])
def test_jobs_end_though_redis_dies_and_comes_back_empty(stage: Scenario, away: float) -> None:
    jobs = [stage.train(DUMMY) for _ in range(3)]
    stage.cluster.site.valkey.kill()
    began = stage.client.job(jobs[0]).began
    while (call := stage.client.job(jobs[0])).ended - began < away:
        # As many as the workers can do meanwhile.
        stage.until(stage.train(DUMMY), State.SUCCEEDED)
    assert call.status == 200
    stage.cluster.site.valkey.start()
    jobs.append(stage.train(DUMMY))
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()


@pytest.mark.rows(15)
def test_while_redis_stands_still_every_job_is_accepted_at_once_and_runs(stage: Scenario) -> None:
    before = len(stage.journal.calls)
    psutil.Process(stage.cluster.site.valkey.pid).suspend()
    began = stage.client.get("/healthz").began
    jobs: list[UUID] = []
    while stage.client.get("/healthz").ended - began < seconds(3, 30) or len(jobs) < 3:
        jobs.append(stage.train(DUMMY))
        stage.until(jobs[-1], State.SUCCEEDED)
    posts = [call for call in stage.journal.calls[before:] if call.path == "/train"]
    assert [call.status for call in posts] == [202] * len(jobs), "no client has had to ask twice"
    assert max(call.ended - call.began for call in posts) < PATIENCE_SECONDS
    stage.settle()


@pytest.mark.thorough
@pytest.mark.rows(16)
def test_half_open_connections_to_redis_hold_nobody_up(stage: Scenario) -> None:
    stage.cluster.proxies[REDIS].strand()
    jobs = [stage.train(DUMMY) for _ in range(5)]
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    eventually(lambda: stage.client.get("/readyz").status == 200, timeout=60)
    stage.settle()
