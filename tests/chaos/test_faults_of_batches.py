"""Batch predictions whose workers, computing processes and store fail: each ends once, with one output."""

from collections.abc import Iterator
from functools import partial

import pytest

from shared.jobs.states import State
from tests.support.chaos.backends import OBJECTS, SQLITE, Backends, Kind
from tests.support.chaos.network import STORE
from tests.support.chaos.scenario import Scenario, scenario, until_gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

# A collector looks every half second for files that nobody has named for two.
COLLECTING = {"janitor_seconds": 1.5, "orphan_hours": 2 / 3600}
POINTS = ("claim.after", "fetch.half", "put.before", "put.after", "commit.before", "commit.inside")


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Five workers with one job each, and collectors that are in a hurry."""
    changes = COLLECTING | {"worker_slots": 1, "max_crashes": 9, "max_transient_failures": 20}
    with scenario(backends, Kind(SQLITE, OBJECTS), tmp_path_factory.mktemp("batches"), workers=5, **changes) as made:
        made.settle()
        yield made


@pytest.mark.rows(1, 2, 4, 6, 7, 8, 35)
@pytest.mark.parametrize(
    "points", [POINTS[:3], pytest.param((*POINTS[3:], "commit.after"), marks=pytest.mark.thorough)], ids="-".join
)
def test_a_batch_whose_worker_is_killed_is_finished_by_another_with_one_output(
    stage: Scenario, points: tuple[str, ...]
) -> None:
    version = stage.trained()
    arms = [stage.cluster.arm(point, "kill9") for point in points]
    jobs = [stage.predict_batch(version) for _ in points]
    until_gone(arms)
    for job_id in jobs:
        result = stage.until(job_id, State.SUCCEEDED).result
        assert result is not None
        assert (result["rows"], result["errors"]) == (150, 0)
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.thorough
@pytest.mark.rows(11, 35)
def test_a_worker_that_stood_still_past_its_lease_names_no_second_output(stage: Scenario) -> None:
    version = stage.trained()
    job_id = stage.stop_at("put.after", partial(stage.predict_batch, version))
    first = stage.until(job_id, State.SUCCEEDED).result
    for process in stage.cluster.stopped():
        process.resume()
    stage.settle()
    assert stage.job(job_id).result == first
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.thorough
@pytest.mark.rows(21)
def test_a_batch_waits_for_a_store_that_is_down(stage: Scenario) -> None:
    version = stage.trained()
    arm = stage.cluster.arm("put.before", "sleep:1")
    job_id = stage.predict_batch(version)
    until_gone([arm])
    stage.cluster.proxies[STORE].down()
    eventually(lambda: stage.job(job_id).transient_count > 0, timeout=60, what="the job meets the store that is down")
    stage.cluster.heal()
    assert stage.until(job_id, State.SUCCEEDED).attempt > 1
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")
