"""Many clients want many things at once, from workers whose doorbell rings twice or not at all."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import redis
from sqlalchemy import select

from shared.jobs.rows import JobRow
from shared.jobs.states import State
from tests.support.chaos.backends import LOCAL, OBJECTS, POSTGRESQL, SQLITE, Backends, Kind
from tests.support.chaos.clients import Client
from tests.support.chaos.journal import ACCEPTED, CONFLICT, OK, Call
from tests.support.chaos.messages import Mangler, mangling
from tests.support.chaos.nodes import ArmedApi
from tests.support.chaos.scenario import CHEAP, LONG, Scenario, scenario
from tests.support.site import Worker
from tests.support.threads import at_once
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

WORKERS = 3
CLIENTS = 2
# Of a client, before its next wish: the machine is to start processes, too.
PAUSE_SECONDS = 0.3
# Leases that nobody misses because a server is started again: here nobody dies. And retries that go on for as long as
# a busy machine takes to start one: with the shortest pauses, five of them are over in three seconds.
STEADY = {"lease_seconds": 30, "beat_seconds": 2, "max_transient_failures": 100}
# One worker lets its jobs end, the other one hands them back.
DRAINS = ("20", "0")
BODY = {"dataset_name": "iris", "use_example": True, "target_column": "target", "model": CHEAP}


@dataclass
class Crowd(Scenario):
    """A scenario with a mangler between the API and the workers."""

    mangler: Mangler


@pytest.fixture(
    scope="module",
    params=[pytest.param(Kind(SQLITE, LOCAL), marks=pytest.mark.thorough), Kind(POSTGRESQL, OBJECTS)],
    ids=str,
)
def stage(
    request: pytest.FixtureRequest, uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    """Three workers that are told of every job twice, but of every third not at all."""
    folder = tmp_path_factory.mktemp("crowds")
    with scenario(backends, request.param, folder, workers=0, apis=2, worker_slots=2) as made:
        source, target = made.cluster.site.valkey.url, made.cluster.site.valkey.fresh_database()
        with mangling(source, target) as mangler:
            for _ in range(WORKERS):
                made.cluster.launch_worker(MLMINI_REDIS_URL=target)
            made.settle()
            yield Crowd(made.cluster, made.journal, made.client, mangler)


@pytest.mark.thorough
@pytest.mark.rows(17)
def test_jobs_that_workers_are_told_of_twice_or_not_at_all_take_effect_once(stage: Crowd) -> None:
    dropped, carried = stage.mangler.dropped, stage.mangler.carried
    jobs = [stage.train() for _ in range(24 if LONG else 12)]
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    assert stage.mangler.dropped >= dropped + len(jobs) // 3
    assert stage.mangler.carried >= carried + len(jobs) * 2 // 3
    stage.settle()


@pytest.mark.rows(14, 24)
def test_of_many_trains_at_once_none_is_lost_with_a_redis_that_is_emptied(stage: Crowd) -> None:
    # More on SQLite, where the writers wait for each other; a hundred with MLMINI_CHAOS=long.
    each = 10 if LONG else 4 if stage.cluster.kind.database == SQLITE else 2
    before = stage.journal.accepted_jobs()
    with stage.without_workers(), redis.Redis(port=stage.cluster.site.valkey.port) as client:
        at_once(*[partial(_train_some, stage, each)] * 10)
        client.flushall()
    jobs = stage.journal.accepted_jobs() - before
    assert len(jobs) == 10 * each
    stage.settle(timeout=120)
    assert {stage.job(job_id).status for job_id in jobs} == {State.SUCCEEDED}


def _train_some(stage: Crowd, count: int) -> None:
    for _ in range(count):
        stage.train()


@pytest.mark.rows(27)
def test_a_key_that_fifty_clients_use_at_once_makes_one_job(stage: Crowd) -> None:
    before = stage.journal.accepted_jobs()
    calls = at_once(*[partial(stage.client.post, "/train", BODY, key="the-same")] * 50)
    assert {call.status for call in calls} == {ACCEPTED}
    assert len({call.job_id for call in calls}) == 1
    assert len(stage.journal.accepted_jobs() - before) == 1
    stage.settle()


@pytest.mark.thorough
@pytest.mark.rows(25)
def test_of_twenty_promotions_of_one_version_at_once_one_takes_effect(stage: Crowd) -> None:
    version = stage.trained()
    calls = at_once(*[partial(stage.client.promote, "iris", version, "staging")] * 20)
    assert {call.status for call in calls} <= {ACCEPTED, CONFLICT}
    stage.settle()
    ends = Counter(stage.job(call.job_id).status for call in calls if call.is_promise)
    assert ends[State.SUCCEEDED] == 1
    losers = [stage.job(call.job_id) for call in calls if call.is_promise]
    assert {(job.error or {}).get("code") for job in losers if job.status != State.SUCCEEDED} <= {"already_in_stage"}


@pytest.mark.thorough
@pytest.mark.rows(25)
def test_of_a_promotion_and_its_cancel_one_is_first_and_both_say_so(stage: Crowd) -> None:
    for stage_name in ("staging", "production"):
        version = stage.trained()
        if stage_name == "production":
            stage.until(stage.promote(version, "staging"), State.SUCCEEDED)
        for _ in range(4):
            job_id = stage.promote(version, stage_name)
            cancel = stage.client.cancel(job_id)
            assert cancel.status in {ACCEPTED, CONFLICT}
            if cancel.status == CONFLICT:
                stage.until(job_id, State.SUCCEEDED)
                break
            stage.until(job_id, State.CANCELLED)
    stage.settle()


@pytest.mark.rows(34)
def test_every_process_is_restarted_once_under_load_and_no_job_is_lost(backends: Backends, tmp_path: Path) -> None:
    with scenario(backends, Kind(POSTGRESQL, OBJECTS), tmp_path, apis=2, workers=0, **STEADY) as whole:
        cluster = whole.cluster
        for seconds in DRAINS:
            cluster.launch_worker(MLMINI_DRAIN_SECONDS=seconds)
        cluster.wait_until_ready()
        with _busy_clients(whole):
            for api in cluster.apis:
                _more_is_done(whole)
                _restart(api)
            for worker in cluster.workers:
                _more_is_done(whole)
                eventually(lambda: _has_a_job(whole, worker), timeout=30)  # noqa: B023 - called here and now
                assert worker.terminate(timeout=30) == 0, worker.log
                cluster.replace_dead()
                cluster.wait_until_ready()
            _more_is_done(whole)
            # A client whose connection is cut goes to the other address; nobody is sent away.
            assert {call.status for call in whole.journal.calls} <= {OK, ACCEPTED, None}
            jobs = [whole.job(job_id) for job_id in whole.journal.accepted_jobs()]
            assert {(job.crash_count, job.transient_count) for job in jobs} == {(0, 0)}
            assert len(cluster.servers) == 3
            for server in cluster.servers:
                _more_is_done(whole)
                server.stop()
                server.start()
            _more_is_done(whole)
        whole.settle()
        assert {whole.job(job_id).status for job_id in whole.journal.accepted_jobs()} == {State.SUCCEEDED}
        # Who was refused for a while was told to come again.
        assert {call.status for call in whole.journal.calls} <= {OK, ACCEPTED, 503, None}


def _restart(api: ArmedApi) -> None:
    process = api.process
    assert process is not None
    api.stop()
    # It ends by the signal once it is done; SIGKILL would be another one.
    assert process.returncode == -signal.SIGTERM
    api.launch()
    eventually(lambda: api.serves, timeout=60)


def _has_a_job(stage: Scenario, worker: Worker) -> bool:
    with stage.cluster.site.database.read() as session:
        names = session.scalars(select(JobRow.worker).where(JobRow.status == State.RUNNING)).all()
    return any(f"-{worker.process.pid}-" in f"{name}" for name in names)


@contextmanager
def _busy_clients(stage: Scenario) -> Iterator[None]:
    """Some clients who train and promote, each one model after the other, until the block is over."""
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        busy = [pool.submit(_be_busy, stage, over) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            over.set()
    for client in busy:
        client.result()


def _be_busy(stage: Scenario, over: threading.Event) -> None:
    client = Client(stage.journal, stage.cluster.urls)
    try:
        while not over.wait(PAUSE_SECONDS):
            trained = _end_of(client, client.post("/train", BODY), over)
            if trained is not None:
                _end_of(client, client.promote("iris", trained.answer["result"]["version"], "staging"), over)
    finally:
        client.close()


def _end_of(client: Client, promise: Call, over: threading.Event) -> Call | None:
    """The answer that tells of the success of a job; None when the client is asked to stop before its end."""
    assert promise.is_promise, (promise.status, promise.text)
    while not over.is_set():
        call = client.job(promise.job_id, wait=1)
        if call.status == OK and call.answer["finished_at"] is not None:
            assert call.answer["status"] == State.SUCCEEDED, call.text
            return call
    return None


def _more_is_done(stage: Scenario) -> None:
    """Wait until each client may have got on since the last restart."""
    so_far = len(stage.journal.accepted_jobs())
    eventually(lambda: len(stage.journal.accepted_jobs()) >= so_far + CLIENTS, timeout=60, what="the clients get on")
