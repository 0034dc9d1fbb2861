"""The store dies, stalls, lies or holds what an attacker has put there: on SQLite and S3."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from shared.jobs.states import State
from tests.support.chaos.backends import OBJECTS, SQLITE, Backends, Kind
from tests.support.chaos.journal import OK, Call
from tests.support.chaos.network import STORE
from tests.support.chaos.scenario import FLOWER, Scenario, scenario, until_gone
from tests.support.objects import put, read
from tests.support.proxy import Proxy
from tests.support.site import Worker
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

# Of some 750 KB, and soon fitted.
SIZES = {"hidden_layer_sizes": [150, 150], "max_iter": 1}
LARGE = {
    "module": "neural_network",
    "class": "MLPClassifier",
    "params": {"hidden_layer_sizes": [150, 150], "max_iter": 1},
}
# A collector looks every half second for files that nobody has named for two.
COLLECTING = {"janitor_seconds": 1.5, "orphan_hours": 2 / 3600}
# What is in every file of the irises, and in every model.
IN_THE_TABLE, IN_THE_MODEL = b"sepal", b"sklearn"


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two workers with one job each, and collectors that are in a hurry."""
    changes = COLLECTING | {"worker_slots": 1, "max_crashes": 9, "max_transient_failures": 20}
    with scenario(backends, Kind(SQLITE, OBJECTS), tmp_path_factory.mktemp("stores"), workers=2, **changes) as made:
        made.settle()
        yield made


@pytest.fixture
def way(stage: Scenario) -> Proxy:
    """The way to the store."""
    return stage.cluster.proxies[STORE]


def half_sent(stage: Scenario, way: Proxy) -> tuple[UUID, Worker]:
    """A job whose model is on its way to the store, some of it already there; and the worker that sends it."""
    arm = stage.cluster.arm("put.before", "sleep:1")
    job_id = stage.train(LARGE)
    until_gone([arm])
    began = way.sent
    way.slice_bytes, way.delay_seconds = 4096, 0.02
    eventually(lambda: way.sent - began > 100_000, timeout=30, what="a part of the model is sent")
    name = f"{stage.job(job_id).worker}"
    (worker,) = [each for each in stage.cluster.workers if f"-{each.process.pid}-" in name]
    return job_id, worker


@pytest.mark.rows(5, 35)
def test_a_worker_that_is_killed_when_half_of_the_model_is_sent_leaves_nothing_of_it(
    stage: Scenario, way: Proxy
) -> None:
    job_id, worker = half_sent(stage, way)
    worker.kill()
    way.heal()
    assert stage.until(job_id, State.SUCCEEDED).crash_count >= 1
    stage.settle()
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.thorough
@pytest.mark.rows(12, 35)
def test_a_worker_that_stood_still_past_its_lease_inside_a_put_writes_nothing(stage: Scenario, way: Proxy) -> None:
    job_id, worker = half_sent(stage, way)
    way.black_hole = True
    way.slice_bytes, way.delay_seconds = None, 0.0
    own = psutil.Process(worker.process.pid)
    own.suspend()
    while not stage.writable():
        own.resume()
        # It lets go of the lock only when it gets to run, which takes longer on a busy machine.
        eventually(stage.writable, timeout=60)
        own.suspend()
    eventually(lambda: stage.job(job_id).crash_count >= 1, timeout=60, what="the lease is over")
    way.heal()
    ended = stage.until(job_id, State.SUCCEEDED).finished_at
    own.resume()
    eventually(lambda: "attempt_settled" in worker.log, timeout=40, what="it notices that it has lost the job")
    stage.settle()
    assert stage.job(job_id).finished_at == ended
    eventually(lambda: not stage.unnamed(), timeout=60, what="the collector removes what nobody names")


@pytest.mark.rows(21)
@pytest.mark.parametrize("fault", ["down", pytest.param("slow", marks=pytest.mark.thorough), "errors"])
def test_jobs_outlive_a_store_that_is_away_or_slow_or_fails(stage: Scenario, way: Proxy, fault: str) -> None:
    # The first training on an example puts that into the store.
    stage.trained()
    errors = way.errors
    if fault == "down":
        way.down()
    else:
        way.delay_seconds, way.failing = (0.05, 0.0) if fault == "slow" else (0.0, 0.3)
    jobs = [stage.train() for _ in range(4)]
    if fault == "down":
        eventually(lambda: any(stage.job(job_id).transient_count for job_id in jobs), timeout=30)
        way.up()
    for job_id in jobs:
        stage.until(job_id, State.SUCCEEDED)
    assert fault != "errors" or way.errors > errors
    stage.settle()


@pytest.mark.thorough
@pytest.mark.rows(33)
def test_a_worker_that_loses_the_store_gives_its_job_back_with_a_reason(stage: Scenario, way: Proxy) -> None:
    arm = stage.cluster.arm("put.before", "sleep:1")
    job_id = stage.train()
    until_gone([arm])
    way.down()
    eventually(lambda: "retry in" in stage.client.get(f"/jobs/{job_id}/logs").text, timeout=30)
    way.up()
    assert "The object store does not answer" in stage.client.get(f"/jobs/{job_id}/logs").text
    job = stage.until(job_id, State.SUCCEEDED)
    assert job.transient_count >= 1
    stage.settle()


@pytest.mark.rows(22)
@pytest.mark.parametrize("fault", ["cut", "flip"])
def test_a_table_that_arrives_damaged_is_fetched_again(stage: Scenario, way: Proxy, fault: str) -> None:
    spoil(way, fault, IN_THE_TABLE)
    job = stage.until(stage.train(), State.SUCCEEDED)
    assert job.transient_count == 1
    stage.settle()


@pytest.mark.rows(22)
@pytest.mark.parametrize("fault", ["cut", "flip"])
def test_a_model_that_arrives_damaged_is_not_served_and_is_fetched_again(
    stage: Scenario, way: Proxy, fault: str
) -> None:
    version = unseen(stage)
    spoil(way, fault, IN_THE_MODEL)
    stage.cluster.resume()
    eventually(lambda: version_of(stage.client.predict("iris", "dev", FLOWER)) == version, timeout=60)
    assert {call.status for call in stage.journal.calls if call.path == "/predict"} <= {OK, 503}
    spoil(way, fault, IN_THE_MODEL)
    job = stage.until(stage.promote(version, "staging"), State.SUCCEEDED)
    assert job.transient_count == 1
    stage.settle()


def spoil(way: Proxy, fault: str, place: bytes) -> None:
    """Let the next answer that holds these bytes arrive damaged."""
    if fault == "cut":
        way.cut_after, way.cut_at = 400, place
    else:
        way.flip_at = place


@dataclass(frozen=True)
class Attack:
    """A pickle of it makes a file when it is loaded."""

    marker: Path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.rows(32)
@pytest.mark.parametrize("kind", ["pkl", "npz"])
@pytest.mark.parametrize("fault", ["corrupted", "deleted", "replaced"])
def test_a_file_of_a_model_that_is_not_the_registered_one_is_neither_served_nor_promoted(
    stage: Scenario, tmp_path: Path, fault: str, kind: str
) -> None:
    version = unseen(stage)
    store, bucket = stage.cluster.site.store, stage.cluster.settings.models_bucket
    key, marker = f"iris_model_dev_v{version}.{kind}", tmp_path / "executed"
    honest = read(store, bucket, key)
    attack = pickle.dumps(Attack(marker))
    store.delete(bucket, key)
    if fault != "deleted":
        put(store, bucket, key, attack if fault == "replaced" else honest[:-9] + b"x" + honest[-8:], folder=tmp_path)
    stage.cluster.resume()
    call = stage.client.once("POST", "/predict", body=asked_for(version))
    if kind == "npz":
        assert (call.status, call.answer["code"]) == (503, "model_unavailable"), call.text
        assert f"'{key}'" in call.answer["detail"]
    else:
        # The compiled form answers, which is whole.
        assert version_of(call) == version
    assert stage.error_of(stage.promote(version, "staging"))["code"] == "artifact_corrupt"
    assert not marker.exists()
    pickle.loads(attack)  # noqa: S301 - it shows that the attack is one
    assert marker.exists()
    store.delete(bucket, key)
    put(store, bucket, key, honest, folder=tmp_path)
    eventually(lambda: version_of(stage.client.once("POST", "/predict", body=asked_for(version))) == version)
    stage.settle()


def asked_for(version: int) -> dict[str, object]:
    """A body for POST /predict that asks for one version."""
    return {"dataset_name": "iris", "environment": "dev", "version": version, "input_data": {"features": FLOWER}}


def version_of(call: Call) -> int | None:
    """The version that answered, if any did."""
    return call.answer["version"] if call.status == OK else None


def unseen(stage: Scenario) -> int:
    """The version of a model that the API has not seen: it stands still since it has accepted the job."""
    job_id = stage.train()
    for api in stage.cluster.apis:
        psutil.Process(api.pid).suspend()
    result = stage.until(job_id, State.SUCCEEDED).result
    assert result is not None
    version: int = result["version"]
    return version
