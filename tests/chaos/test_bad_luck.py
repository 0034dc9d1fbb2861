"""Bad luck that is nobody's crash: each ends in a clear state with a sentence that says what to do."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from shared.errors import StoreUnavailable
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, State
from shared.object_store import open_store
from tests.support.buckets import new_buckets
from tests.support.chaos.backends import LOCAL, SQLITE, Backends, Kind
from tests.support.chaos.checker import check
from tests.support.chaos.scenario import SLOW, Scenario, scenario
from tests.support.objects import put, read
from tests.support.servers import S3, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

TABLE = b"width,height,target\n" + b"1,2,low\n2,3,low\n7,8,high\n8,9,high\n" * 10


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two workers."""
    with scenario(backends, Kind(SQLITE, LOCAL), tmp_path_factory.mktemp("luck"), workers=2, worker_slots=2) as made:
        made.settle()
        yield made


@pytest.mark.parametrize("point", ["fetch.half", pytest.param("put.before", marks=pytest.mark.thorough), "put.half"])
def test_a_disk_that_is_full_for_a_while_delays_a_job(stage: Scenario, point: str) -> None:
    arm = stage.cluster.arm(point, "enospc")
    job = stage.until(stage.train(), State.SUCCEEDED)
    assert not arm.exists()
    assert job.transient_count == 1
    assert re.search("full|No space", stage.client.get(f"/jobs/{job.id}/logs").text)
    stage.settle()


@pytest.mark.parametrize(
    ("point", "code"),
    [("fetch.half", "scratch_full"), pytest.param("put.half", "store_unavailable", marks=pytest.mark.thorough)],
)
def test_a_disk_that_stays_full_fails_the_job_and_says_what_to_do(stage: Scenario, point: str, code: str) -> None:
    job_id = stage.train()

    def ended() -> bool:
        stage.cluster.arm(point, "enospc")
        return stage.job(job_id).status in TERMINAL

    eventually(ended, timeout=60)
    stage.cluster.arms.disarm()
    error = stage.error_of(job_id)
    assert error["code"] == code
    assert re.search("full|No space", error["message"])
    assert str(stage.cluster.settings.home) not in error["message"]
    stage.settle()


class FullS3(S3):
    """An S3 server without room for a single object."""

    def command(self) -> list[str]:
        """See Server."""
        return [word for word in super().command() if "-volume.max=" not in word] + ["-volume.max=1"]


def test_an_object_store_that_is_full_takes_nothing_and_says_so(tmp_path: Path) -> None:
    """What becomes of a job then is what becomes of it when the local disk stays full: the error is the same."""
    server = FullS3()
    with running(server):
        settings = new_buckets(server, tmp_path / "home")
        store, bucket = open_store(settings), settings.models_bucket
        store.prepare()
        with pytest.raises(StoreUnavailable, match="Its log says why"):
            put(store, bucket, "model.pkl", b"x" * 1000, folder=tmp_path)
        assert list(store.list(bucket)) == []
        store.close()


def test_a_dataset_that_is_deleted_while_its_job_waits_fails_the_job_and_names_it(stage: Scenario) -> None:
    files = {"file": ("doomed.csv", TABLE, "text/csv")}
    assert stage.client.once("POST", "/datasets/upload", files=files).status == 201
    with stage.without_workers():
        job_id = stage.train(dataset_name="doomed", use_example=False)
        assert stage.client.once("DELETE", "/datasets/doomed").status == 204
    error = stage.error_of(job_id)
    assert error["code"] == "dataset_deleted"
    assert "'doomed'" in error["message"]
    stage.settle()


@pytest.mark.rows(32)
def test_a_version_whose_file_was_tampered_with_is_not_promoted(stage: Scenario, tmp_path: Path) -> None:
    version = stage.trained()
    store, bucket = stage.cluster.site.store, stage.cluster.settings.models_bucket
    key = f"iris_model_dev_v{version}.pkl"
    honest = read(store, bucket, key)
    store.delete(bucket, key)
    put(store, bucket, key, honest[:-1] + b"!", folder=tmp_path)
    error = stage.error_of(stage.promote(version, "staging"))
    assert error["code"] == "artifact_corrupt"
    store.delete(bucket, key)
    put(store, bucket, key, honest, folder=tmp_path)
    stage.until(stage.promote(version, "staging"), State.SUCCEEDED)
    stage.settle()


@pytest.mark.parametrize(
    "changes",
    [{"model": "once a dictionary"}, {"test_size": "a half"}, {"dataset_name": None}, {"target_column": None}],
    ids=["model", "size", "dataset", "target"],
)
def test_a_train_whose_request_an_upgrade_no_longer_understands_fails_and_is_not_tried_again(
    stage: Scenario, changes: dict[str, Any]
) -> None:
    with stage.without_workers():
        job_id = stage.train()
        rewrite(stage, job_id, changes)
    expect_unreadable(stage, job_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "the newest"},
        {"version": 2**70},
        {"version": None},
        {"target_stage": ["staging"]},
        {"dataset_name": 7},
    ],
    ids=["word", "huge", "none", "list", "number"],
)
def test_a_promotion_whose_request_an_upgrade_no_longer_understands_fails_and_is_not_tried_again(
    stage: Scenario, changes: dict[str, Any]
) -> None:
    version = stage.trained()
    with stage.without_workers():
        job_id = stage.promote(version, "staging")
        rewrite(stage, job_id, changes)
    expect_unreadable(stage, job_id)


@pytest.mark.thorough
@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_clock_that_jumps_may_run_a_job_again_and_never_doubles_its_effect(stage: Scenario, hours: int) -> None:
    """The clock is that of the database alone. To move all its moments back is the same as to let it jump ahead."""
    job_id = stage.train(SLOW)
    stage.cluster.site.until_fitting(job_id)
    with stage.cluster.site.database.write() as session:
        job = session.get_one(JobRow, job_id)
        assert job.lease_until is not None
        job.lease_until -= timedelta(hours=hours)
        job.run_at -= timedelta(hours=hours)
    job = stage.until(job_id, State.SUCCEEDED)
    assert job.attempt in {1, 2}
    assert stage.path_of(job_id).count(State.SUCCEEDED) == 1
    stage.cluster.heal()
    assert stage.cluster.drain(60)
    # A lease that ends at another time than the clock says is not what it was given for.
    assert {violation.invariant for violation in check(stage.journal, stage.cluster)} <= {"I6"}


def rewrite(stage: Scenario, job_id: UUID, changes: dict[str, Any]) -> None:
    """Let the stored request be one that another release understood."""
    with stage.cluster.site.database.write() as session:
        request = session.get_one(JobRow, job_id).request
        changed = {name: value for name, value in (request | changes).items() if value is not None}
        session.execute(update(JobRow).where(JobRow.id == job_id).values(request=changed))


def expect_unreadable(stage: Scenario, job_id: UUID) -> None:
    """The job has failed at its first attempt, and says what to do."""
    error = stage.error_of(job_id)
    assert error["code"] == "unreadable_request"
    assert "Send it again" in error["message"]
    assert stage.job(job_id).attempt == 1
    assert stage.client.job(job_id).answer["error"] == error
    repeated = stage.client.once("POST", f"/jobs/{job_id}/retry")
    if repeated.is_promise:
        assert stage.error_of(repeated.job_id)["code"] == "unreadable_request"
    else:
        assert repeated.status in {404, 409, 422}, repeated.text
    stage.settle()
