"""An API dies, its clients leave, or its database is locked or full: on SQLite and a local store.

With MLMINI_CHAOS=long the lock is held for 20 s, which is longer than anybody waits for it, else for somewhat longer
than a lease.
"""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shared.jobs.states import State
from tests.support.busy_folders import below
from tests.support.chaos.backends import LOCAL, SQLITE, Backends, Kind
from tests.support.chaos.scenario import FLOWER, SLOW, Scenario, locked_while_a_job_runs, scenario, until_gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

TABLE = b"width,height,target\n" + b"1,2,low\n2,3,low\n7,8,high\n8,9,high\n" * 20_000
BOUNDARY = b"half-way"


@pytest.fixture(scope="module")
def stage(uncounted: None, backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Two API processes and a worker."""
    folder = tmp_path_factory.mktemp("apis")
    with scenario(backends, Kind(SQLITE, LOCAL), folder, workers=1, apis=2, worker_slots=2) as made:
        made.settle()
        yield made


@pytest.mark.rows(23)
@pytest.mark.parametrize(
    "point", ["accept.before_commit", pytest.param("accept.after_commit", marks=pytest.mark.thorough)]
)
def test_a_wish_that_an_api_died_over_is_granted_once_when_it_is_sent_again(stage: Scenario, point: str) -> None:
    before = stage.journal.accepted_jobs()
    arm = stage.cluster.arm(point, "kill9")
    job_id = stage.train()
    until_gone([arm])
    assert stage.journal.accepted_jobs() - before == {job_id}
    stage.until(job_id, State.SUCCEEDED)
    stage.settle()


@pytest.mark.rows(23)
@pytest.mark.parametrize("who", ["api", "client"])
def test_of_an_upload_that_breaks_off_half_way_nothing_is_left(stage: Scenario, who: str) -> None:
    with half_uploaded(stage, who):
        if who == "api":
            stage.cluster.apis[0].kill()
    stage.cluster.heal()
    eventually(lambda: not spooled_files(stage), what="the file that was received in part is removed")
    assert stage.client.get(f"/datasets/{who}").status == 404
    files = {"file": (f"{who}.csv", TABLE, "text/csv")}
    assert stage.client.once("POST", "/datasets/upload", files=files).status == 201
    stage.settle()


@contextmanager
def half_uploaded(stage: Scenario, name: str) -> Iterator[None]:
    """A connection on which half of an upload was sent, and has arrived."""
    part = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s.csv"\r\n\r\n'
    part %= (BOUNDARY, name.encode())
    head = (
        b"POST /datasets/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=%s\r\n"
        b"Content-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", stage.cluster.apis[0].port)) as connection:
        connection.sendall(head % (BOUNDARY, len(part) + 2 * len(TABLE)) + part + TABLE)
        eventually(lambda: spooled_files(stage), what="it has begun to receive the file")
        yield


def spooled_files(stage: Scenario) -> list[Path]:
    """The files of uploads that are being received, or were."""
    return [path for path in below(stage.cluster.settings.scratch) if path.name.startswith("spool-")]


@pytest.mark.thorough
@pytest.mark.rows(19)
def test_a_database_that_is_locked_holds_jobs_up_and_loses_none(stage: Scenario) -> None:
    locked_while_a_job_runs(stage)


@pytest.mark.rows(20)
def test_a_database_without_room_accepts_nothing_loses_nothing_and_serves_what_is_loaded(stage: Scenario) -> None:
    """No process of the platform may write a file beyond its first page: to them that is a full disk."""
    version = stage.trained()
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": FLOWER}}
    eventually(lambda: all(served_by(stage) == {version} for _ in range(3)), timeout=60)
    running = stage.train(SLOW)
    stage.cluster.site.until_fitting(running)
    began = len(stage.journal.calls)
    with no_room(stage):
        refused = stage.client.once("POST", "/train", body=wish(), key="once")
        assert (refused.status, refused.answer["code"]) == (503, "database_unavailable"), refused.text
        files = {"file": ("roomless.csv", TABLE, "text/csv")}
        upload = stage.client.once("POST", "/datasets/upload", files=files)
        assert (upload.status, upload.answer["code"]) == (503, "scratch_full"), upload.text
        served = stage.client.once("POST", "/predict", body=body)
        assert (served.status, served.answer["version"]) == (200, version)
        assert stage.client.job(running).status == 200
    assert not any(call.is_promise for call in stage.journal.calls[began:])
    accepted = stage.client.post("/train", wish(), key="once")
    for job_id in (running, accepted.job_id):
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()


def wish() -> dict[str, object]:
    """A body for POST /train."""
    model = {"module": "dummy", "class": "DummyClassifier", "params": {}}
    return {"dataset_name": "iris", "use_example": True, "target_column": "target", "model": model}


def served_by(stage: Scenario) -> set[int]:
    """The versions by which the API processes, asked by turns, answer now."""
    return {stage.client.predict("iris", "dev", FLOWER).answer["version"] for _ in stage.cluster.apis}


@contextmanager
def no_room(stage: Scenario) -> Iterator[None]:
    """Take from all processes the right to write files of more than a page, which a limit can do for a while."""
    processes = stage.cluster.processes()
    before = [process.rlimit(psutil.RLIMIT_FSIZE) for process in processes]
    for process, (_, hard) in zip(processes, before, strict=True):
        process.rlimit(psutil.RLIMIT_FSIZE, (resource.getpagesize(), hard))
    try:
        yield
    finally:
        for process, limits in zip(processes, before, strict=True):
            if process.is_running():
                process.rlimit(psutil.RLIMIT_FSIZE, limits)
