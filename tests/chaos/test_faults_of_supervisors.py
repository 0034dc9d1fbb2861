"""A worker dies or stands still at every point of a job, three of them at a time, while collectors run.

Each job is started again by another worker, takes effect once, and leaves no file behind.
"""

from collections.abc import Iterator
from functools import partial

import pytest

from shared.jobs.states import State
from tests.support.alive import alive
from tests.support.chaos.backends import LOCAL, SQLITE, Backends, Kind
from tests.support.chaos.faults import POINTS
from tests.support.chaos.scenario import CHEAP, SLOW, Scenario, scenario, until_gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

# A collector looks every half second for files that nobody has named for two.
COLLECTING = {"janitor_seconds": 1.5, "orphan_hours": 2 / 3600}
# Only the fit has to be slow to be met.
BATCHES = ((1, 2, 4), (3, 5, 6), (7, 8, 9))


def batch(*rows: int) -> object:
    """The rows that one test shows, for its parameters."""
    return pytest.param(rows, id="-".join(map(str, rows)), marks=[pytest.mark.rows(*rows), *_thorough(rows)])


def _thorough(rows: tuple[int, ...]) -> list[pytest.MarkDecorator]:
    return [] if rows == BATCHES[0] else [pytest.mark.thorough]


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Four workers with one job each: three may fail at a time, and one finishes."""
    changes = COLLECTING | {"worker_slots": 1, "max_crashes": 9}
    with scenario(backends, Kind(SQLITE, LOCAL), tmp_path_factory.mktemp("supervisors"), workers=4, **changes) as made:
        # The API stores the table of the example with the first training, and would meet the points of workers then.
        made.trained()
        made.settle()
        yield made


@pytest.mark.rows(35)
@pytest.mark.parametrize("rows", [batch(*rows) for rows in BATCHES])
def test_a_job_whose_worker_is_killed_is_finished_by_another(stage: Scenario, rows: tuple[int, ...]) -> None:
    arms = [stage.cluster.arm(POINTS[row][0], "kill9") for row in rows]
    jobs = [stage.train(SLOW if row == 3 else CHEAP) for row in rows]
    until_gone(arms)
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    assert len(stage.cluster.workers) < len(stage.cluster.site.workers)
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.rows(6, 8, 35)
def test_a_promotion_whose_worker_is_killed_is_finished_by_another(stage: Scenario) -> None:
    versions = [stage.trained() for _ in range(3)]
    # What was stored by the first attempt has the name that the second one wants.
    arms = [stage.cluster.arm(point, "kill9") for point in ("put.after", "commit.inside", "commit.after")]
    jobs = [stage.promote(version, "staging") for version in versions]
    until_gone(arms)
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.rows(11, 35)
@pytest.mark.parametrize(
    "rows", [pytest.param(rows, id="-".join(map(str, rows)), marks=_thorough(rows)) for rows in BATCHES]
)
def test_a_worker_that_stood_still_past_its_lease_writes_nothing(stage: Scenario, rows: tuple[int, ...]) -> None:
    for row in rows:
        stage.stop_at(POINTS[row][0], partial(stage.train, SLOW if row == 3 else CHEAP))
    stopped = stage.cluster.stopped()
    assert len(stopped) == len(rows)
    jobs = list(stage.journal.accepted_jobs())
    for job_id in jobs:
        eventually(lambda job_id=job_id: stage.job(job_id).status == State.SUCCEEDED, timeout=60)  # type: ignore[misc] # it cannot see the type of a default
    ends = {job_id: stage.job(job_id).finished_at for job_id in jobs}
    for process in stopped:
        process.resume()
    stage.settle()
    assert {job_id: stage.job(job_id).finished_at for job_id in jobs} == ends
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.rows(10, 35)
@pytest.mark.parametrize(
    "member",
    [0, pytest.param(1, marks=pytest.mark.thorough), pytest.param(2, marks=pytest.mark.thorough), 3],
    ids=["worker", "guard", "fork server", "computation"],
)
def test_a_process_of_a_running_fit_is_killed_and_the_job_runs_again(stage: Scenario, member: int) -> None:
    job_id = stage.train(SLOW)
    name = f"{stage.cluster.site.until_fitting(job_id).worker}"
    (worker,) = [each for each in stage.cluster.workers if f"-{each.process.pid}-" in name]
    own, guard, *_ = worker.family()
    line = [own, guard, worker.fork_server, *stage.computations(worker)]
    assert len(line) == 4, "each has started the next one"
    line[member].kill()
    eventually(lambda: not any(alive(each) for each in line[member:]), what="nobody outlives who started it")
    assert stage.until(job_id, State.SUCCEEDED).crash_count >= 1
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")
