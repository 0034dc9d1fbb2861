"""The janitor of a worker: what it tidies up, alone and beside others, and while jobs run."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import httpx2
import psutil
import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from shared.accounts.rows import LoginSessionRow, UsedRefreshTokenRow
from shared.clock import Now
from shared.counters import CounterRow
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.errors import ArtifactInRemoval, NotAuthenticated
from shared.jobs.acceptance import IdempotencyKey, accept, answered_before
from shared.jobs.rows import IdempotencyKeyRow, JobRow
from shared.jobs.states import Kind, State
from shared.registry.naming import file_names
from shared.registry.orphan_collector import OrphanCollector
from shared.registry.promotion import check_promotion
from shared.registry.rows import OrphanRow, RegistryRow
from shared.settings import Settings
from tests.support import hasty_worker
from tests.support.accounts import PASSWORD, add_user, logins, recorded
from tests.support.api_server import ApiServer
from tests.support.jobs import add_job, add_lines, claim_job, log_of
from tests.support.left_over import UPLOADED
from tests.support.objects import put
from tests.support.registry import insert_dataset
from tests.support.server import running
from tests.support.site import SLOW, Site
from tests.support.waiting import eventually
from worker.janitor import Janitor
from worker.runtime import Runtime

# What is there is old enough as soon as a clock has moved on.
AT_ONCE = "0.000001"


@pytest.fixture
def runtime(fast_settings: Settings) -> Iterator[Runtime]:
    """A worker's runtime without Celery; its collector deletes what it has known for a moment."""
    fast_settings.home.mkdir(exist_ok=True)
    runtime = Runtime(fast_settings.model_copy(update={"orphan_hours": float(AT_ONCE)}))
    yield runtime
    runtime.close()


def key_of(number: int) -> IdempotencyKey:
    return IdempotencyKey("everybody", f"key-{number}", "0" * 64, keep_hours=1)


def add_keys(runtime: Runtime, *numbers: int) -> None:
    for number in numbers:
        with runtime.database.write() as session:
            accept(
                session,
                kind=Kind.TRAIN,
                request={},
                dataset_name="iris",
                dataset_version_id=None,
                key=key_of(number),
            )


def expire(runtime: Runtime, *numbers: int) -> None:
    keys = [key_of(number).key for number in numbers]
    with runtime.database.write() as session:
        session.execute(update(IdempotencyKeyRow).where(IdempotencyKeyRow.key.in_(keys)).values(expires_at=Now(-1)))


def job_with_log(runtime: Runtime, *, days_ago: float | None) -> UUID:
    """A job with two lines that ended so long ago, or that runs."""
    job_id = add_job(runtime.database)
    claim = claim_job(runtime.database, job_id)
    add_lines(runtime.database, claim, "one", "two")
    with runtime.database.write() as session:
        if days_ago is not None:
            values = {"status": State.FAILED, "finished_at": Now(-days_ago * 86_400)}
            session.execute(update(JobRow).where(JobRow.id == job_id).values(**values))
    return job_id


def test_idempotency_keys_that_ran_out_are_forgotten_and_others_are_not(runtime: Runtime) -> None:
    add_keys(runtime, *range(5))
    expire(runtime, 1, 2, 3)
    assert Janitor(runtime).tidy()["keys"] == 3
    with runtime.database.read() as session:
        left = session.scalars(select(IdempotencyKeyRow.key).order_by(IdempotencyKeyRow.key)).all()
        assert left == ["key-0", "key-4"]
        assert answered_before(session, key_of(0)) is not None


def test_the_logs_of_jobs_that_ended_long_ago_are_forgotten_and_others_are_not(runtime: Runtime) -> None:
    old = [job_with_log(runtime, days_ago=31) for _ in range(25)]
    recent, running = job_with_log(runtime, days_ago=29), job_with_log(runtime, days_ago=None)
    assert Janitor(runtime).tidy()["logs"] == len(old)
    assert [log_of(runtime.database, job_id) for job_id in old] == [[]] * len(old)
    assert log_of(runtime.database, recent) == log_of(runtime.database, running) == ["one", "two"]


def test_uploads_that_were_never_finished_go_with_their_datasets_and_objects(runtime: Runtime, tmp_path: Path) -> None:
    with runtime.database.write() as session:
        insert_dataset(session)
        session.add(DatasetRow(name="bare", created_at=Now(-4000)))
        session.add(DatasetRow(name="begun_just_now"))
        session.execute(
            update(DatasetVersionRow).values(
                object_key=UPLOADED, state=VersionState.UPLOADING, number=None, created_at=Now(-4000)
            )
        )
        session.execute(update(DatasetRow).where(DatasetRow.name == "iris").values(location=None))
    put(runtime.store, runtime.settings.datasets_bucket, UPLOADED, b"a", folder=tmp_path)
    done = Janitor(runtime).tidy()
    assert (done["uploads"], done["datasets"]) == (1, 1)
    with runtime.database.read() as session:
        assert session.scalars(select(DatasetRow.name)).all() == ["begun_just_now"]
    assert list(runtime.store.list(runtime.settings.datasets_bucket)) == []


def test_folders_of_dead_processes_go(runtime: Runtime) -> None:
    (runtime.settings.scratch / "process-dead").mkdir()
    assert Janitor(runtime).tidy()["scratch"] == 1
    assert runtime.scratch.folder.is_dir()


def test_of_unfinished_uploads_only_those_with_names_of_the_platform_are_given_up_and_after_its_hours(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    runtime.settings = runtime.settings.model_copy(update={"orphan_hours": 24.0})

    def abort_stale(*, older_than_seconds: float, is_ours: Callable[[str, str], bool]) -> int:
        datasets, models = runtime.settings.datasets_bucket, runtime.settings.models_bucket
        asked.extend(is_ours(*each) for each in ((datasets, UPLOADED), (models, "iris_model_dev_v1.pkl")))
        asked.extend(is_ours(*each) for each in ((models, UPLOADED), (datasets, "video.mp4"), ("other", UPLOADED)))
        return int(older_than_seconds)

    monkeypatch.setattr(runtime.store, "abort_stale", abort_stale)
    assert Janitor(runtime).tidy()["unfinished"] == 24 * 3600
    assert asked == [True, True, False, False, False]


def test_logins_that_ended_long_ago_are_forgotten_with_their_tokens_and_others_are_not(runtime: Runtime) -> None:
    database = runtime.database
    add_user(recorded(database), "anna")
    begun = {name: logins(database).log_in("anna", PASSWORD) for name in ("live", "out", "just out", "over", "idle")}
    exchanged = {name: logins(database).refresh(issued.refresh_token) for name, issued in begun.items()}
    past = {
        "out": {"revoked_at": Now(-8 * 86_400)},
        "just out": {"revoked_at": Now(-6 * 86_400)},
        "over": {"expires_at": Now(-8 * 86_400)},
        "idle": {"refreshed_at": Now(-22 * 86_400)},
    }
    with database.write() as session:
        for name, values in past.items():
            here = LoginSessionRow.id == exchanged[name].session_id
            session.execute(update(LoginSessionRow).where(here).values(**values))
    assert Janitor(runtime).tidy()["logins"] == 3
    with database.read() as session:
        left = {exchanged[name].session_id for name in ("live", "just out")}
        assert set(session.scalars(select(LoginSessionRow.id))) == left
        assert set(session.scalars(select(UsedRefreshTokenRow.session_id))) == left
    logins(database).refresh(exchanged["live"].refresh_token)
    with pytest.raises(NotAuthenticated):
        logins(database).refresh(exchanged["out"].refresh_token)


def test_a_round_of_nothing_tells_so(runtime: Runtime) -> None:
    with capture_logs() as told:
        Janitor(runtime).tidy()
    (done,) = [entry for entry in told if entry["event"] == "janitor_done"]
    counts = {name: value for name, value in done.items() if name not in {"event", "log_level"}}
    steps = ("keys", "logs", "logins", "uploads", "datasets", "outputs", "discarded", "orphans", "orphans_deleted")
    assert counts == dict.fromkeys((*steps, "foreign", "unfinished", "scratch"), 0)


def test_what_an_api_was_killed_before_removing_the_next_janitor_removes(runtime: Runtime) -> None:
    # Nothing of it is an orphan yet: only the list knows that it has to go.
    runtime.settings = runtime.settings.model_copy(update={"orphan_hours": 24.0})
    server = ApiServer(runtime.settings, MLMINI_FAIL="discard.before_remove=kill9")
    with running(server), httpx2.Client(base_url=server.url, timeout=60) as client:
        client.post("/datasets/upload", files={"file": ("data.csv", b"a\n1\n")}).raise_for_status()
        with suppress(httpx2.TransportError):
            client.delete("/datasets/data", params={"erase": "true"})
        eventually(lambda: server.process is None or server.process.poll() is not None)
    bucket = runtime.settings.datasets_bucket
    assert len(list(runtime.store.list(bucket))) == 1
    assert Janitor(runtime).tidy()["discarded"] == 1
    assert list(runtime.store.list(bucket)) == []
    assert Janitor(runtime).tidy()["discarded"] == 0


def test_a_store_that_is_away_keeps_nobody_from_the_rest(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    add_keys(runtime, 1)
    expire(runtime, 1)
    (runtime.settings.scratch / "process-dead").mkdir()
    monkeypatch.setattr(runtime, "settings", runtime.settings.model_copy(update={"models_bucket": "never-made"}))
    with capture_logs() as told:
        done = Janitor(runtime).tidy()
    assert (done["keys"], done["scratch"], "orphans" in done) == (1, 1, False)
    assert [entry["step"] for entry in told if entry["event"] == "janitor_skipped"] == ["orphans"]


def test_several_janitors_at_once_do_everything_once(runtime: Runtime) -> None:
    add_keys(runtime, *range(30))
    expire(runtime, *range(30))
    jobs = [job_with_log(runtime, days_ago=31) for _ in range(30)]
    with ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(Janitor(runtime).tidy) for _ in range(4)]]
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKeyRow)) == 0
    assert all(log_of(runtime.database, job_id) == [] for job_id in jobs)
    assert sum(each["keys"] for each in done) == 30


def test_a_worker_that_stops_leaves_the_rest_to_others(runtime: Runtime) -> None:
    runtime.stopping.set()
    assert Janitor(runtime).tidy() == {}


@pytest.mark.thorough
def test_collectors_of_two_workers_leave_alone_what_running_jobs_stage(installation: Site) -> None:
    # Each job stands still between its object and its row, for many rounds of the janitors.
    variables = {
        "MLMINI_FAIL": "put.after=sleep:2",
        "MLMINI_JANITOR_SECONDS": "0.3",
        "MLMINI_ORPHAN_HOURS": AT_ONCE,
        "MLMINI_WORKER_SLOTS": "2",
    }
    workers = [installation.start_worker(**variables) for _ in range(2)]
    orphan = "wine_model_dev_v1.pkl"
    put(installation.store, installation.settings.models_bucket, orphan, b"old", folder=installation.folder)
    with installation.database.write() as session:
        session.execute(update(CounterRow).where(CounterRow.name == "model_version").values(value=1))
    jobs = [installation.train() for _ in range(3)]
    versions = [(installation.until(job_id, State.SUCCEEDED).result or {})["version"] for job_id in jobs]
    promotions = [promote(installation, version) for version in versions]
    for job_id in promotions:
        installation.until(job_id, State.SUCCEEDED)
    bucket = installation.settings.models_bucket
    eventually(lambda: orphan not in {entry.key for entry in installation.store.list(bucket)})
    with installation.database.read() as session:
        named = set(session.scalars(select(RegistryRow.artifact_path)))
    assert {f"iris_model_staging_v{version}.pkl" for version in versions} == named
    expected = {
        name for stage in ("dev", "staging") for version in versions for name in file_names("iris", stage, version)
    }
    assert named < expected
    assert {entry.key for entry in installation.store.list(bucket)} == expected
    assert sum(worker.log.count('"orphan_deleted"') for worker in workers) == 1


def promote(site: Site, version: int) -> UUID:
    """A promote job to staging, as the API accepts it."""
    request = {"dataset_name": "iris", "version": version, "target_stage": "staging"}
    job_id = add_job(site.database, kind=Kind.PROMOTE, dataset_name="iris", request=request)
    site.queue.wake(job_id, Kind.PROMOTE)
    return job_id


def test_a_training_leaves_out_numbers_whose_names_a_restored_database_has_forgotten(installation: Site) -> None:
    bucket = installation.settings.models_bucket
    for version in (1, 2):
        put(installation.store, bucket, f"iris_model_dev_v{version}.pkl", b"newer", folder=installation.folder)
    installation.start_worker()
    job_id = installation.train()
    job = installation.until(job_id, State.SUCCEEDED)
    assert job.result is not None
    assert (job.attempt, job.result["version"], job.result["artifact_path"]) == (1, 3, "iris_model_dev_v3.pkl")
    assert "left version 1 out: the store has another model of that name" in log_of(installation.database, job_id)
    stored = installation.store.stat(bucket, "iris_model_dev_v1.pkl")
    assert stored.size == len(b"newer")


def test_a_janitor_that_stood_still_for_long_does_not_delete_what_was_deployed_meanwhile(
    installation: Site, tmp_path: Path
) -> None:
    staged, bucket = "iris_model_staging_v1.pkl", installation.settings.models_bucket
    installation.start_worker()
    installation.until(installation.train(), State.SUCCEEDED)
    # What an attempt to promote it left a while ago.
    with installation.store.open(bucket, "iris_model_dev_v1.pkl") as model:
        put(installation.store, bucket, staged, model.read(), folder=tmp_path)
    often = {"MLMINI_JANITOR_SECONDS": "0.3", "MLMINI_ORPHAN_HOURS": AT_ONCE}
    # In production a minute has to go by, in which S3 cannot be kept from a removal.
    frozen = installation.launch_worker(
        hasty_worker.MODULE, **hasty_worker.ENVIRONMENT, **often, MLMINI_FAIL="collect.at_delete=stop"
    )
    status = psutil.Process(frozen.process.pid).status
    eventually(lambda: status() == psutil.STATUS_STOPPED, timeout=60)
    stopped = time.monotonic()
    with installation.database.write() as session:
        session.execute(update(OrphanRow).values(removal_until=Now(-1)))
    with installation.database.read() as session, pytest.raises(ArtifactInRemoval):
        check_promotion(
            session, dataset_name="iris", version=1, target_stage="staging", stages=installation.settings.stages
        )
    other = OrphanCollector(
        installation.database,
        installation.store,
        installation.settings.model_copy(update={"orphan_hours": float(AT_ONCE)}),
    )
    eventually(lambda: other.collect().deleted)
    installation.until(promote(installation, 1), State.SUCCEEDED)
    eventually(lambda: time.monotonic() > stopped + hasty_worker.CALL_SECONDS)
    frozen.process.send_signal(signal.SIGCONT)
    eventually(lambda: "janitor_done" in frozen.log, timeout=30)
    assert staged in {entry.key for entry in installation.store.list(bucket)}


@pytest.mark.thorough
def test_a_janitor_killed_before_a_deletion_harms_nobody_and_another_takes_over(installation: Site) -> None:
    orphan, bucket = "wine_model_dev_v1.pkl", installation.settings.models_bucket
    put(installation.store, bucket, orphan, b"old", folder=installation.folder)
    with installation.database.write() as session:
        session.execute(update(CounterRow).where(CounterRow.name == "model_version").values(value=1))
    often = {"MLMINI_JANITOR_SECONDS": "0.3", "MLMINI_ORPHAN_HOURS": AT_ONCE}
    killed = installation.start_worker(**often, MLMINI_FAIL="collect.before_delete=kill9")
    eventually(lambda: killed.process.poll() is not None, timeout=30)
    installation.start_worker(**often)
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    assert {entry.key for entry in installation.store.list(bucket)} == {orphan}
    with installation.database.write() as session:
        session.execute(update(OrphanRow).values(removal_until=Now(-1)))
    eventually(lambda: orphan not in {entry.key for entry in installation.store.list(bucket)}, timeout=60)
    installation.until(job_id, State.SUCCEEDED)
