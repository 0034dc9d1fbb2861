"""The checker is not blind: without one of the guards a run is red, and the same run with all of them is green.

The processes are real. Each scenario is directed, so that it takes seconds to come to what the guard is for.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from shared.jobs.states import Kind as JobKind
from shared.jobs.states import State
from shared.registry.rows import DeploymentRow
from tests.support.chaos.backends import LOCAL, POSTGRESQL, SQLITE, Backends, Kind
from tests.support.chaos.checker import check
from tests.support.chaos.clients import Client
from tests.support.chaos.cluster import Cluster, cluster
from tests.support.chaos.journal import Journal
from tests.support.chaos.locks import can_be_written
from tests.support.jobs import add_job
from tests.support.processes import ROOT
from tests.support.site import SLOW, Worker
from tests.support.threads import at_once
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("uncounted"), pytest.mark.timeout(120)]

Open = Callable[..., Cluster]
CHEAP = {"module": "dummy", "class": "DummyClassifier", "params": {}}
NO_POLLING = {"MLMINI_POLL_SECONDS": "3600"}
WHOLE = "worker"


@pytest.fixture
def opened(backends: Backends, tmp_path: Path) -> Iterator[Open]:
    """Opens an installation without processes yet."""
    with ExitStack() as stack:
        yield lambda database, apis=0: stack.enter_context(
            cluster(backends, Kind(database, LOCAL), tmp_path, workers=0, apis=apis)
        )


def worker_of(place: Cluster, without: str, **environment: str) -> Worker:
    """A worker that lacks a guard, or a whole one."""
    module = WHOLE if without == WHOLE else f"tests.support.chaos.mutant {without}"
    return place.start_worker(module, PYTHONPATH=str(ROOT), **environment)


def red(place: Cluster, journal: Journal | None = None, *, calm: bool = False) -> set[str]:
    """The invariants that do not hold."""
    return {found.invariant for found in check(journal or Journal(), place, calm=calm)}


def stopped_before_its_commit(place: Cluster) -> UUID:
    """A job whose only worker stands still when nothing is left to do but the commit."""
    while True:
        place.arm("commit.before", "stop")
        job_id = place.site.train(CHEAP)
        eventually(place.stopped, timeout=30, what="the worker stands still")
        if can_be_written(place.site.settings.sqlalchemy_url):
            return job_id
        # Its heartbeat was in the middle of a write: nobody else could go on.
        place.resume()
        place.site.until(job_id, State.SUCCEEDED)


def settled(worker: Worker, job_id: UUID) -> bool:
    """Whether a worker has nothing more to do with a job."""
    lines = [line for line in worker.log.splitlines() if str(job_id) in line]
    return any('"attempt_settled"' in line or '"attempt_succeeded"' in line for line in lines)


@pytest.mark.parametrize(
    ("without", "expected"), [("epoch_guard", "I6"), pytest.param(WHOLE, None, marks=pytest.mark.thorough)]
)
def test_without_the_epoch_an_attempt_that_lost_its_job_ends_that_of_another(
    opened: Open, without: str, expected: str | None
) -> None:
    place = opened(SQLITE)
    lost = worker_of(place, without)
    job_id = stopped_before_its_commit(place)
    holding = place.arm("put.before", "sleep:5")
    worker_of(place, without)
    eventually(lambda: not holding.exists(), timeout=30, what="another worker has the job")
    place.resume()
    eventually(lambda: settled(lost, job_id), timeout=30)
    assert place.drain(30)
    found = red(place)
    assert found == set() if expected is None else expected in found


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("key", "expected"),
    [(False, {"I2", "I5"}), pytest.param(True, set(), marks=pytest.mark.thorough)],
    ids=["without", "with"],
)
def test_without_its_unique_key_the_registry_takes_two_versions_of_a_job(
    opened: Open, key: bool, expected: set[str]
) -> None:
    """The key is the last guard: it is needed only where the first one fails."""
    place, without = opened(POSTGRESQL), "commit_guard"
    if not key:
        drop_key(place, "model_registry", "uq_model_registry_job_id_candidate")
    lost = worker_of(place, without)
    job_id = stopped_before_its_commit(place)
    other = worker_of(place, without)
    eventually(lambda: settled(other, job_id), timeout=30)
    place.resume()
    eventually(lambda: settled(lost, job_id), timeout=30)
    assert red(place) & {"I2", "I5"} == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [(False, {"I10"}), pytest.param(True, set(), marks=pytest.mark.thorough)],
    ids=["without", "with"],
)
def test_without_their_unique_key_idempotency_keys_make_many_jobs(opened: Open, key: bool, expected: set[str]) -> None:
    place, journal = opened(POSTGRESQL, apis=1), Journal()
    client = Client(journal, place.urls)
    body = {"dataset_name": "iris", "use_example": True, "model": CHEAP, "target_column": "target"}
    # The example is catalogued by this one.
    made = {client.train(**body).job_id}
    if not key:
        drop_key(place, "idempotency_keys", "pk_idempotency_keys")
    wish = uuid4().hex
    calls = at_once(*[lambda: client.once("POST", "/train", body=body, key=wish)] * 12)
    made |= {call.job_id for call in calls if call.is_promise}
    for job_id in made:
        client.cancel(job_id)
    client.close()
    assert red(place, journal) == expected


@pytest.mark.parametrize(
    ("without", "expected"), [("relay", {"I1"}), pytest.param(WHOLE, set(), marks=pytest.mark.thorough)]
)
def test_without_the_relay_a_job_whose_message_is_lost_is_lost(opened: Open, without: str, expected: set[str]) -> None:
    place = opened(SQLITE)
    place.site.train(CHEAP)
    eventually(lambda: place.site.queue.depth() == 1)
    place.site.valkey.kill()
    place.site.valkey.start()
    # Nobody polls, so that the relay alone can bring the job to a worker.
    worker_of(place, without, **NO_POLLING)
    place.drain(60 if without == WHOLE else 6)
    assert red(place) == expected


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("without", "expected"), [("digest_check", {"I4"}), pytest.param(WHOLE, set(), marks=pytest.mark.thorough)]
)
def test_without_the_digest_check_a_wrong_file_is_promoted(opened: Open, without: str, expected: set[str]) -> None:
    place = opened(SQLITE)
    worker_of(place, without)
    place.site.until(place.site.train(CHEAP), State.SUCCEEDED)
    file = artifact_file(place)
    right = file.read_bytes()
    file.write_bytes(right[:-20] + bytes([right[-20] ^ 1]) + right[-19:])
    request = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}
    job_id = add_job(place.site.database, kind=JobKind.PROMOTE, dataset_name="iris", request=request)
    place.site.queue.wake(job_id, JobKind.PROMOTE)
    assert place.drain(30)
    # As a store does that gave a wrong answer once.
    file.write_bytes(right)
    assert place.site.job(job_id).status == (State.FAILED if without == WHOLE else State.SUCCEEDED)
    assert red(place) == expected


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("without", "expected"), [("right_count", {"I12"}), pytest.param(WHOLE, set(), marks=pytest.mark.thorough)]
)
def test_without_the_right_count_a_job_is_burned_by_workers_that_stop(
    opened: Open, without: str, expected: set[str]
) -> None:
    place = opened(SQLITE)
    leaving = worker_of(place, without)
    job_id = place.site.train(SLOW)
    place.site.until_fitting(job_id)
    assert leaving.terminate(timeout=30) == 0, leaving.log
    worker_of(place, WHOLE)
    place.site.until(job_id, State.SUCCEEDED)
    assert red(place) == red(place, calm=True) == expected


def drop_key(place: Cluster, table: str, constraint: str) -> None:
    """Take a unique key away."""
    with place.site.database.write() as session:
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"))


def artifact_file(place: Cluster) -> Path:
    """Where the local store keeps the only artifact."""
    with place.site.database.read() as session:
        path = session.scalars(select(DeploymentRow.artifact_path)).one()
    return place.settings.home / "store" / place.settings.models_bucket / path
