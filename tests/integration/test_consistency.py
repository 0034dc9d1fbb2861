"""What is found when rows and objects differ, one thing at a time, on both databases and both stores."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Executable, delete, event, insert, update

from shared.clock import Now
from shared.compiled.compilation import Compilation
from shared.consistency import Difference, Examination, Level
from shared.counters import CounterRow
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.jobs import claims
from shared.jobs.rows import JobEventRow, JobRow
from shared.jobs.states import Kind, State
from shared.object_store import ObjectStore, open_store
from shared.registry.forms import note_compilation
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings
from tests.support.finished_batches import finish_batch, put_output
from tests.support.jobs import add_job, claim_job, end_as_failed, finish_job
from tests.support.left_over import UPLOADED
from tests.support.models import Platform, doubling, open_platform
from tests.support.objects import put

DEV, STAGING = "iris_model_dev_v1.pkl", "iris_model_staging_v1.pkl"
TABLE = b"a,b\n1,2\n"


@dataclass(frozen=True)
class Examined:
    """A platform in which nothing differs: a dataset, and a model in two stages."""

    platform: Platform

    def findings(self, *, deep: bool = False) -> list[Difference]:
        """Everything that is found."""
        own = self.platform
        return list(Examination(own.database, own.store, own.settings, own.key, deep=deep).differences())

    def kinds(self, *, deep: bool = False) -> list[str]:
        """The kinds of all findings."""
        return sorted({finding.kind for finding in self.findings(deep=deep)})

    def put(self, key: str, data: bytes = b"data") -> None:
        """An object in the bucket of models."""
        put(self.platform.store, self.platform.settings.models_bucket, key, data, folder=self.platform.folder)


def examined(database: Database, store: ObjectStore, settings: Settings, folder: Path) -> Examined:
    platform = open_platform(database, store, settings, folder)
    digest = put(store, settings.datasets_bucket, UPLOADED, TABLE, folder=folder)
    data = platform.dataset()
    with database.write() as session:
        session.execute(update(DatasetVersionRow).values(object_key=UPLOADED, size_bytes=len(TABLE), sha256=digest))
        session.execute(update(DatasetRow).values(location=f"datasets/{UPLOADED}"))
    platform.promote(platform.train(data, doubling()), "staging")
    found = Examined(platform)
    assert found.findings() == []
    return found


@pytest.fixture
def anywhere(database: Database, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Examined:
    """On both databases and both stores."""
    return examined(database, store, store_settings, tmp_path)


@pytest.fixture
def there(database: Database, settings: Settings, tmp_path: Path) -> Examined:
    """On both databases, with a local store."""
    store = open_store(settings)
    store.prepare()
    return examined(database, store, settings, tmp_path)


def test_a_deep_look_at_a_platform_that_is_well_finds_nothing(anywhere: Examined) -> None:
    assert anywhere.findings(deep=True) == []


def test_an_object_that_is_gone_is_named_with_what_brings_it_back(anywhere: Examined) -> None:
    settings = anywhere.platform.settings
    anywhere.platform.store.delete(settings.models_bucket, DEV)
    anywhere.platform.store.delete(settings.datasets_bucket, UPLOADED)
    found = {finding.about: finding for finding in anywhere.findings()}
    assert set(found) == {f"{settings.models_bucket}/{DEV}", f"{settings.datasets_bucket}/{UPLOADED}"}
    assert {finding.kind for finding in found.values()} == {"object_missing"}
    assert "train again" in found[f"{settings.models_bucket}/{DEV}"].hint
    assert "upload the same file again" in found[f"{settings.datasets_bucket}/{UPLOADED}"].hint


def batch_job(there: Examined) -> UUID:
    request = {"dataset_name": "iris", "version": 1, "input": {"dataset_name": "iris", "dataset_version": 1}}
    return add_job(there.platform.database, kind=Kind.PREDICT, dataset_name="iris", request=request)


def test_outputs_of_batches_are_held_against_their_rows(there: Examined, tmp_path: Path) -> None:
    own = there.platform
    bucket = own.settings.predictions_bucket
    key = finish_batch(own, batch_job(there), tmp_path)
    assert there.findings(deep=True) == []
    own.store.delete(bucket, key)
    (lost,) = there.findings()
    assert (lost.kind, lost.about) == ("object_missing", f"{bucket}/{key}")
    assert "retry" in lost.hint
    with own.database.write() as session:
        session.execute(delete(PredictionOutputRow))
    (missing,) = there.findings()
    assert (missing.kind, missing.found) == ("effect_missing", "it succeeded and has no output")


def compile_job(there: Examined) -> UUID:
    request = {"dataset_name": "iris", "version": 1}
    return add_job(there.platform.database, kind=Kind.COMPILE, dataset_name="iris", request=request)


def test_a_compilation_that_succeeded_has_noted_what_came_of_it(there: Examined) -> None:
    own = there.platform
    claim = claim_job(own.database, compile_job(there))
    with own.database.write() as session:
        claims.succeed(session, claim)
        claims.put_outcome(session, claim, result={"version": 1, "compiled": False, "detail": "None.", "stages": []})
    (missing,) = there.findings()
    assert (missing.kind, missing.found) == ("effect_missing", "it succeeded and noted nothing of version 1")
    with own.database.write() as session:
        note_compilation(session, 1, Compilation(compiled=False, detail="None."))
    assert there.findings() == []


@pytest.mark.parametrize("begun", [False, True])
def test_a_form_that_no_row_names_is_claimed_until_its_job_has_ended(there: Examined, *, begun: bool) -> None:
    own = there.platform
    job_id = compile_job(there)
    claim = claim_job(own.database, job_id) if begun else None
    there.put("iris_model_staging_v1.npz")
    (claimed,) = there.findings()
    assert (claimed.kind, claimed.level, str(job_id) in claimed.found) == ("object_claimed", Level.NOTE, True)
    end_as_failed(own.database, claim or claim_job(own.database, job_id))
    (orphan,) = there.findings()
    assert (orphan.kind, orphan.about) == ("orphan", f"{own.settings.models_bucket}/iris_model_staging_v1.npz")


def test_an_output_that_no_row_names_is_claimed_while_its_attempt_runs(there: Examined, tmp_path: Path) -> None:
    own = there.platform
    claim = claim_job(own.database, batch_job(there))
    key = put_output(own, claim, tmp_path)
    (claimed,) = there.findings()
    assert (claimed.kind, claimed.level, str(claim.job_id) in claimed.found) == ("object_claimed", Level.NOTE, True)
    end_as_failed(own.database, claim)
    (orphan,) = there.findings()
    assert (orphan.kind, orphan.about) == ("orphan", f"{own.settings.predictions_bucket}/{key}")


def test_an_output_of_a_job_that_did_not_succeed_is_found(there: Examined, tmp_path: Path) -> None:
    job_id = batch_job(there)
    finish_batch(there.platform, job_id, tmp_path)
    with there.platform.database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(kind=Kind.PROMOTE, result={}))
    assert "effect_unexpected" in there.kinds()


def test_an_object_of_another_size_or_digest_is_found(anywhere: Examined) -> None:
    anywhere.platform.overwrite(DEV, lambda data: data + b"more")
    assert anywhere.kinds() == ["object_size"]
    anywhere.platform.overwrite(DEV, lambda data: bytes(len(data) - 4))
    assert anywhere.kinds() == anywhere.kinds(deep=True) == ["object_digest"]


def test_bytes_that_the_store_tells_another_digest_of_are_found_by_a_deep_look(
    there: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, bucket = there.platform.store, there.platform.settings.models_bucket
    told = {key: store.stat(bucket, key) for key in (DEV, STAGING)}
    there.platform.overwrite(DEV, lambda data: bytes(len(data)))
    true_stat = store.stat
    monkeypatch.setattr(store, "stat", lambda where, key: told.get(key) or true_stat(where, key))
    assert there.kinds() == []
    assert there.kinds(deep=True) == ["object_digest"]


def test_objects_without_a_row_are_told_apart(anywhere: Examined) -> None:
    for key in ("iris_model_dev_v9.pkl", "notes.txt", "wine_model_dev_v1.pkl", "iris_model_production_v1.pkl"):
        anywhere.put(key)
    request = {"dataset_name": "iris", "version": 1, "target_stage": "production"}
    add_job(anywhere.platform.database, kind=Kind.PROMOTE, dataset_name="iris", request=request)
    found = {finding.about.partition("/")[2]: finding for finding in anywhere.findings()}
    assert {key: (finding.kind, finding.level) for key, finding in found.items()} == {
        "iris_model_dev_v9.pkl": ("object_newer", Level.DIFFERS),
        "wine_model_dev_v1.pkl": ("orphan", Level.DIFFERS),
        "notes.txt": ("object_foreign", Level.NOTE),
        "iris_model_production_v1.pkl": ("object_claimed", Level.NOTE),
    }
    assert "0:00:0" in found["wine_model_dev_v1.pkl"].found
    assert "known it for 24 h" in found["wine_model_dev_v1.pkl"].hint


def test_an_orphan_that_nobody_collects_says_so(there: Examined) -> None:
    there.put("wine_model_dev_v1.pkl")
    settings = there.platform.settings.model_copy(update={"collect": "report"})
    (finding,) = replace(there, platform=replace(there.platform, settings=settings)).findings()
    assert "while MLMINI_COLLECT is report" in finding.hint


def test_seals_of_another_key_and_changed_rows_are_found(there: Examined) -> None:
    other = replace(there.platform, key=ArtifactKey(b"another key, of thirty-two bytes or so"))
    findings = Examined(other).findings()
    assert [finding.kind for finding in findings] == ["seal_differs"] * 2
    assert there.platform.key.id in findings[0].found
    with there.platform.database.write() as session:
        session.execute(update(DeploymentRow).where(DeploymentRow.stage == "dev").values(hmac="0" * 64))
    assert there.kinds() == ["seal_differs"]


def test_without_a_key_no_seal_can_be_checked(there: Examined) -> None:
    own = there.platform
    found = list(Examination(own.database, own.store, own.settings, None).differences())
    assert [finding.kind for finding in found] == ["seal_unknown"] * 2


def test_an_upload_that_never_ended_is_noted(there: Examined) -> None:
    with there.platform.database.write() as session:
        row = session.get_one(DatasetVersionRow, 1)
        values = {column.name: getattr(row, column.name) for column in DatasetVersionRow.__table__.columns}
        values |= {"id": 2, "number": None, "state": VersionState.UPLOADING, "object_key": "x", "created_at": Now(-4e3)}
        session.execute(insert(DatasetVersionRow).values(values))
    (finding,) = there.findings()
    assert (finding.kind, finding.level) == ("upload_unfinished", Level.NOTE)


CHANGES: dict[str, tuple[list[Callable[[], Executable]], str]] = {
    "a location of another object": ([lambda: update(DatasetRow).values(location="datasets/x")], "location_differs"),
    "a dataset without its version": (
        [lambda: update(DatasetVersionRow).values(state=VersionState.UPLOADING)],
        "dataset_without_version",
    ),
    "a file of another name": (
        [lambda: update(DeploymentRow).where(DeploymentRow.stage == "staging").values(artifact_path="x")],
        "path_differs",
    ),
    "a stage that it never was in": ([lambda: update(RegistryRow).values(stage="production")], "stage_differs"),
    "a stage below the furthest": (
        [lambda: update(RegistryRow).values(stage="dev", artifact_path=DEV)],
        "stage_differs",
    ),
    "a model without deployments": ([lambda: delete(DeploymentRow)], "stage_differs"),
    "a deployment of another dataset": (
        [
            lambda: insert(DatasetRow).values(id=7, name="wine", created_at=Now(), updated_at=Now()),
            lambda: update(DeploymentRow).values(dataset_id=7),
        ],
        "dataset_differs",
    ),
    "a counter behind": ([lambda: update(CounterRow).values(value=0)], "counter_behind"),
    "a job without events": ([lambda: delete(JobEventRow)], "path_illegal"),
    "a gap in the events": ([lambda: delete(JobEventRow).where(JobEventRow.seq == 2)], "path_illegal"),
    "events that do not begin": ([lambda: delete(JobEventRow).where(JobEventRow.seq == 1)], "path_illegal"),
    "an epoch that falls": (
        [lambda: update(JobEventRow).where(JobEventRow.seq == 3).values(epoch=0)],
        "path_illegal",
    ),
    "a job in another state than its events": ([lambda: update(JobRow).values(status=State.FAILED)], "state_differs"),
    "a job of an earlier epoch than its events": ([lambda: update(JobRow).values(epoch=0)], "state_differs"),
    "an end without a time": ([lambda: update(JobRow).values(finished_at=None)], "state_differs"),
    "an ended job with a lease": ([lambda: update(JobRow).values(lease_until=Now())], "state_differs"),
    "a model of a job that did not succeed": (
        [lambda: update(JobRow).values(status=State.FAILED)],
        "effect_unexpected",
    ),
    "a success without its model": (
        [lambda: delete(DeploymentRow), lambda: delete(RegistryRow)],
        "effect_missing",
    ),
}


@pytest.mark.parametrize(("changes", "kind"), CHANGES.values(), ids=CHANGES.keys())
def test_a_row_that_was_changed_is_found(there: Examined, changes: list[Callable[[], Executable]], kind: str) -> None:
    with there.platform.database.write() as session:
        for change in changes:
            session.execute(change())
    findings = there.findings()
    assert kind in {finding.kind for finding in findings}
    assert all(finding.found and finding.hint for finding in findings)


def test_a_model_that_is_registered_in_the_midst_of_a_look_does_not_seem_to_be_ahead(there: Examined) -> None:
    platform = there.platform
    begun: list[str] = []

    def train(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not begun and ("counters" in statement or "max(model_registry.version)" in statement):
            begun.append(statement)
            platform.train(platform.dataset("wine"), doubling(), name="wine")

    event.listen(platform.database.engine, "after_cursor_execute", train)
    assert "counter_behind" not in there.kinds()
    assert begun


def test_an_active_stage_that_the_settings_do_not_name_is_found(there: Examined) -> None:
    settings = there.platform.settings.model_copy(update={"stages": ("dev", "canary")})
    own = there.platform
    found = list(Examination(own.database, own.store, settings, own.key).differences())
    assert [finding.kind for finding in found] == ["stage_unknown"]
    assert "dev, canary" in found[0].found


def test_a_running_job_without_a_lease_is_told_with_what_frees_it(there: Examined) -> None:
    claim_job(there.platform.database, add_job(there.platform.database))
    assert there.kinds() == []
    with there.platform.database.write() as session:
        session.execute(update(JobRow).where(JobRow.status == State.RUNNING).values(lease_until=None))
    (finding,) = there.findings()
    assert finding.kind == "lease_missing"
    assert "lease_until" in finding.hint


def test_a_promotion_that_brought_nothing_about_is_found(there: Examined) -> None:
    finish_job(there.platform.database, add_job(there.platform.database), {"version": 1, "stage": "production"})
    assert there.kinds() == ["effect_missing"]


def test_a_broken_reference_in_a_file_of_sqlite_is_all_that_is_looked_for(sqlite_url: str, settings: Settings) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("INSERT INTO job_logs (job_id, seq, epoch, at, text) VALUES ('0', 1, 1, '2026-01-01', '')")
        connection.execute("UPDATE counters SET value = -1")
    connection.close()
    database = Database(sqlite_url)
    found = list(Examination(database, open_store(settings), settings, None).differences())
    database.close()
    assert [(finding.kind, finding.about) for finding in found] == [("reference_broken", "row 1 of job_logs")]
