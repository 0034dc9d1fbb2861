"""Jobs of a pool, which only its workers run, however another worker hears of them."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import update

from shared.clock import Now
from shared.jobs import claims
from shared.jobs.acceptance import accept, find_job
from shared.jobs.delivery import Delivery
from shared.jobs.rows import MIDDLE_PRIORITY, JobRow
from shared.jobs.states import Kind, State
from shared.queue import queue_name
from shared.settings import DEFAULT_POOL, Settings
from tests.support.jobs import ring
from tests.support.site import Site
from tests.support.waiting import eventually
from worker.execution import execute
from worker.runtime import Runtime
from worker.upkeep import Upkeep

pytestmark = pytest.mark.any_stack

LARGE = "large"


@pytest.fixture
def runtime(fast_settings: Settings) -> Iterator[Runtime]:
    """A worker of the default pool without Celery and without threads: the test does its acts."""
    fast_settings.home.mkdir(exist_ok=True)
    runtime = Runtime(fast_settings)
    yield runtime
    runtime.close()


def add_job(place: Runtime | Site, pool: str = LARGE, *, due_seconds: float = 5) -> UUID:
    """A job of the pool that has been due for a while; a train of nothing fails as soon as it is begun."""
    with place.database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None, pool=pool)
        session.execute(update(JobRow).where(JobRow.id == job.id).values(run_at=Now(-due_seconds)))
        return job.id


def job_of(place: Runtime | Site, job_id: UUID) -> JobRow:
    with place.database.read() as session:
        return find_job(session, job_id)


def untouched(place: Runtime | Site, job_id: UUID) -> bool:
    """Whether nobody has begun it, ever."""
    job = job_of(place, job_id)
    return (job.status, job.attempt, job.worker) == (State.QUEUED, 0, None)


def test_a_worker_that_is_told_of_a_job_of_another_pool_does_not_take_it(runtime: Runtime) -> None:
    job_id = add_job(runtime)
    execute(runtime, job_id)
    assert untouched(runtime, job_id)
    execute(runtime, mine := add_job(runtime, DEFAULT_POOL))
    assert job_of(runtime, mine).status == State.FAILED


def test_the_poller_passes_over_jobs_of_other_pools(runtime: Runtime) -> None:
    theirs = [add_job(runtime, due_seconds=60) for _ in range(3)]
    mine, upkeep = add_job(runtime, DEFAULT_POOL), Upkeep(runtime)
    # More of theirs are due, and for longer, than it has slots.
    runtime.settings = runtime.settings.model_copy(update={"worker_slots": 2})
    upkeep.poll()
    eventually(lambda: job_of(runtime, mine).status == State.FAILED)
    assert all(untouched(runtime, job_id) for job_id in theirs)


def test_the_relay_tells_only_of_jobs_of_its_pools(runtime: Runtime) -> None:
    theirs, mine = add_job(runtime), add_job(runtime, DEFAULT_POOL)
    Upkeep(runtime).relay()
    assert (runtime.queue.depth(), runtime.queue.depth([LARGE])) == (1, 0)
    assert job_of(runtime, theirs).last_published_at is None
    assert job_of(runtime, mine).last_published_at is not None


def test_a_rescued_job_stays_with_its_pool(runtime: Runtime) -> None:
    job_id = add_job(runtime)
    with runtime.database.write() as session:
        assert claims.claim(session, job_id, worker="silent", lease_seconds=-1, pools=[LARGE])
    upkeep = Upkeep(runtime)
    upkeep.rescue()
    assert job_of(runtime, job_id).status == State.QUEUED
    upkeep.poll()
    execute(runtime, job_id)
    upkeep.relay()
    job = job_of(runtime, job_id)
    assert (job.status, job.attempt, job.worker) == (State.QUEUED, 1, "silent")


def test_workers_run_the_jobs_of_their_pools_and_no_others(installation: Site) -> None:
    installation.start_worker()
    theirs = add_job(installation)
    # By hand on the list of the default pool, and as it should be.
    ring(installation.queue, theirs, Kind.TRAIN)
    installation.queue.publish_all([Delivery(theirs, Kind.TRAIN, MIDDLE_PRIORITY, LARGE)])
    for _ in range(3):
        mine = add_job(installation, DEFAULT_POOL)
        ring(installation.queue, mine, Kind.TRAIN)
        installation.until(mine, State.FAILED)
    eventually(lambda: installation.queue.depth() == 0)
    assert untouched(installation, theirs)
    assert installation.queue.depth([LARGE]) == 1
    installation.start_worker(MLMINI_POOLS=LARGE)
    installation.until(theirs, State.FAILED)
    assert job_of(installation, theirs).worker != job_of(installation, mine).worker
    eventually(lambda: installation.queue.depth([LARGE]) == 0)
    eventually(lambda: installation.queue.pools() == {DEFAULT_POOL, LARGE}, timeout=30)


def test_a_worker_of_several_pools_hears_of_the_jobs_of_each(installation: Site) -> None:
    # No poll finds them.
    worker = installation.start_worker(MLMINI_POOLS=f"{DEFAULT_POOL},{LARGE}", MLMINI_POLL_SECONDS="1000")
    for pool in (DEFAULT_POOL, LARGE):
        job_id = add_job(installation, pool)
        installation.queue.wake(job_id, Kind.TRAIN, pool=pool)
        installation.until(job_id, State.FAILED)
    assert queue_name(LARGE) in worker.log
