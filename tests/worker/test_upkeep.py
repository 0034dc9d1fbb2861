"""The acts that every worker does beside its tasks."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from kombu.exceptions import KombuError
from redis import RedisError
from sqlalchemy import update

from shared.clock import Now
from shared.jobs import claims
from shared.jobs.acceptance import accept, find_job
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.settings import Settings
from tests.support.jobs import ring
from tests.support.servers import Valkey
from tests.support.waiting import eventually
from worker.runtime import Runtime
from worker.upkeep import Upkeep


@pytest.fixture
def runtime(fast_settings: Settings) -> Iterator[Runtime]:
    """A worker's runtime without Celery, on a Redis of its own."""
    fast_settings.home.mkdir(exist_ok=True)
    runtime = Runtime(fast_settings.model_copy(update={"worker_slots": 2}))
    yield runtime
    runtime.close()


@pytest.fixture
def upkeep(runtime: Runtime) -> Upkeep:
    """Its threads are not started: the test does the acts."""
    return Upkeep(runtime)


# No two alike, so that it shows which of them is meant.
DISTINCT = {"poll_seconds": 1000, "relay_seconds": 2000, "rescue_seconds": 3000, "janitor_seconds": 4000}


def due_job(runtime: Runtime, *, seconds: float = 5) -> UUID:
    """A job that has been due for a while."""
    with runtime.database.write() as session:
        # A train of nothing fails at once, which is all that these tests need.
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
        session.execute(update(JobRow).where(JobRow.id == job.id).values(run_at=Now(-seconds)))
        return job.id


def state_of(runtime: Runtime, job_id: UUID) -> str:
    with runtime.database.read() as session:
        return find_job(session, job_id).status


def test_the_relay_tells_of_jobs_whose_messages_are_gone(runtime: Runtime, upkeep: Upkeep) -> None:
    for _ in range(3):
        due_job(runtime)
    assert runtime.queue.depth() == 0
    upkeep.relay()
    assert runtime.queue.depth() == 3


def test_the_relay_sends_nothing_while_there_is_a_message_for_every_job(runtime: Runtime, upkeep: Upkeep) -> None:
    for _ in range(3):
        ring(runtime.queue, due_job(runtime), Kind.TRAIN)
    upkeep.relay()
    assert runtime.queue.depth() == 3


def test_the_relay_tops_up_what_an_emptied_redis_lacks(runtime: Runtime, upkeep: Upkeep, own_valkey: Valkey) -> None:
    for _ in range(3):
        ring(runtime.queue, due_job(runtime), Kind.TRAIN)
    own_valkey.kill()
    own_valkey.start()
    last = due_job(runtime)

    def told() -> bool:
        # Connections may not have noticed yet that their server was another one.
        try:
            runtime.queue.ping()
            ring(runtime.queue, last, Kind.TRAIN)
        except (RedisError, KombuError):
            return False
        return True

    eventually(told)
    upkeep.relay()
    assert runtime.queue.depth() == 4


def test_the_poller_runs_due_jobs_and_gives_their_slots_back(runtime: Runtime, upkeep: Upkeep) -> None:
    jobs = [due_job(runtime) for _ in range(3)]

    def ended() -> bool:
        upkeep.poll()
        return all(state_of(runtime, job_id) == State.FAILED for job_id in jobs)

    eventually(ended)
    eventually(lambda: both_slots_are_free(runtime))


def test_the_poller_leaves_a_fresh_job_to_its_message(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update=DISTINCT)
    upkeep, fresh, forgotten = Upkeep(runtime), due_job(runtime, seconds=950), due_job(runtime, seconds=1050)

    def ended() -> bool:
        upkeep.poll()
        return state_of(runtime, forgotten) == State.FAILED

    eventually(ended)
    assert state_of(runtime, fresh) == State.QUEUED


def test_the_relay_leaves_a_job_alone_that_workers_were_told_of_lately(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update=DISTINCT)
    lately, long_ago = due_job(runtime), due_job(runtime)
    with runtime.database.write() as session:
        for job_id, seconds in ((lately, 1950), (long_ago, 2050)):
            told = update(JobRow).where(JobRow.id == job_id).values(last_published_at=Now(-seconds))
            session.execute(told)
    Upkeep(runtime).relay()
    assert runtime.queue.depth() == 1


def test_each_act_has_an_interval_of_its_own(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: dict[str, float] = {}

    class Once(threading.Event):
        """Ends each thread at its first wait, and notes how long that would have been."""

        def wait(self, timeout: float | None = None) -> bool:
            name = threading.current_thread().name
            assert timeout is not None
            waits[name] = timeout
            stopped.add(name)
            return True

        def is_set(self) -> bool:
            return threading.current_thread().name in stopped

    def announce(_upkeep: Upkeep) -> None:
        """The fork server is not needed."""

    stopped: set[str] = set()
    monkeypatch.setattr(Upkeep, "announce", announce)
    runtime.settings = runtime.settings.model_copy(update=DISTINCT)
    upkeep = Upkeep(runtime)
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "stopping", Once())
        upkeep.start()
        eventually(lambda: len(waits) == 5)
    runtime.draining.set()
    upkeep.join()
    assert 0.1 * 4000 <= waits.pop("janitor") <= 0.2 * 4000
    assert waits == {"poll": 1000, "relay": 2000, "rescue": 3000, "announce": 4}


def test_the_poller_takes_no_more_than_the_free_slots(runtime: Runtime, upkeep: Upkeep) -> None:
    job_id = due_job(runtime)
    with runtime.slot(), runtime.slot():
        upkeep.poll()
        assert state_of(runtime, job_id) == State.QUEUED


def test_the_rescue_frees_jobs_of_silent_workers(runtime: Runtime, upkeep: Upkeep) -> None:
    job_id = due_job(runtime)
    with runtime.database.write() as session:
        assert claims.claim(session, job_id, worker="silent", lease_seconds=-1)
    upkeep.rescue()
    assert state_of(runtime, job_id) == State.QUEUED


def test_a_worker_that_drains_takes_no_slot_any_more(runtime: Runtime) -> None:
    runtime.draining.set()
    assert not runtime.try_slot()


def both_slots_are_free(runtime: Runtime) -> bool:
    """Take both and give them back."""
    taken = [runtime.try_slot() for _ in range(2)]
    for _ in filter(None, taken):
        runtime.free_slot()
    return all(taken)


def test_a_slot_is_free_again_when_the_system_gives_no_thread_for_its_job(
    runtime: Runtime, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = due_job(runtime)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="new thread"):
                upkeep.poll()
    assert both_slots_are_free(runtime)

    def ended() -> bool:
        upkeep.poll()
        return state_of(runtime, job_id) == State.FAILED

    eventually(ended)
