"""Erasing models and datasets: what goes, what stays, and what is refused, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event, select, update

from shared.consistency import Examination, Level
from shared.database import Database
from shared.datasets.catalog import delete_dataset, list_datasets, next_number
from shared.datasets.rows import DatasetRow, DatasetVersionRow, ErasedDatasetVersionRow
from shared.discarded import remove_discarded
from shared.errors import DatasetInUse, JobErased, ModelErased, ModelInUse, PlatformError, UnknownDataset, UnknownModel
from shared.jobs.acceptance import cancel, ended_job, find_job
from shared.jobs.rows import JobEventRow, JobRow
from shared.jobs.states import Kind, State
from shared.object_store import open_store
from shared.registry import deployments
from shared.registry.erasure import erase_dataset, erase_model
from shared.registry.listing import ModelFilter, list_models
from shared.registry.notes import put_tags
from shared.registry.promotion import check_promotion
from shared.registry.rows import ErasedModelRow, RegistryRow
from shared.registry.versions import find_models
from shared.schema import metadata
from shared.settings import Settings
from tests.support import planted
from tests.support.assessments import of_numbers
from tests.support.jobs import add_job, add_lines, claim_job, fail_job, finish_job, log_of
from tests.support.left_over import UPLOADED
from tests.support.models import Platform, doubling, open_platform
from tests.support.objects import put
from tests.support.registry import Data

STAGES = ("dev", "staging", "production")
# Where something of a dataset stands besides its models and jobs.
OF_DATASET = {
    "dataset_catalog.description",
    *(f"dataset_versions.{column}" for column in ("options", "reading", "columns", "findings", "profile")),
}


@pytest.fixture
def platform(database: Database, settings: Settings, tmp_path: Path) -> Platform:
    """On both databases: a dataset, and a model that was promoted by a job and serves nowhere any more."""
    return furnish(database, settings, tmp_path)


def furnish(database: Database, settings: Settings, folder: Path) -> Platform:
    store = open_store(settings)
    store.prepare()
    platform = open_platform(database, store, settings, folder)
    digest = put(store, settings.datasets_bucket, UPLOADED, b"a\n1\n", folder=folder)
    data = platform.dataset()
    with database.write() as session:
        session.execute(update(DatasetVersionRow).values(object_key=UPLOADED, size_bytes=4, sha256=digest))
        session.execute(update(DatasetRow).values(location=f"datasets/{UPLOADED}"))
    claim = platform.begin(data)
    add_lines(database, claim, f"column 'age': {planted.WORD}")
    platform.finish(claim, data, replace(doubling(), assessment=of_numbers()))
    with database.write() as session:
        put_tags(session, 1, ["age"])
    platform.promote(1, "staging")
    finish_job(database, promote_job(database), result={"version": 1, "stage": "staging"})
    retire(platform, 1, "dev", "staging")
    return platform


def promote_job(database: Database, *, version: int = 1, stage: str = "staging") -> UUID:
    request = {"dataset_name": "iris", "version": version, "target_stage": stage}
    return add_job(database, kind=Kind.PROMOTE, dataset_name="iris", request=request)


def data_of(platform: Platform) -> Data:
    with platform.database.read() as session:
        row = session.scalars(select(DatasetVersionRow)).one()
    return Data(row.dataset_id, row.id)


def retire(platform: Platform, version: int, *stages: str) -> None:
    for stage in stages:
        with platform.database.write() as session:
            deployments.retire(session, version=version, stage=stage, reason="worse", stages=STAGES)


def erase(platform: Platform, version: int = 1) -> None:
    with platform.database.write() as session:
        erase_model(session, version, stages=STAGES, actor="api")


def erase_iris(platform: Platform) -> None:
    with platform.database.write() as session:
        erase_dataset(session, "iris", actor="api")


def refused(act: Callable[[], object], error: type[PlatformError], *words: str) -> str:
    with pytest.raises(error) as raised:
        act()
    assert all(word in raised.value.detail for word in words), raised.value.detail
    return raised.value.detail


def findings(platform: Platform) -> dict[str, Level]:
    examination = Examination(platform.database, platform.store, platform.settings, platform.key)
    return {finding.kind: finding.level for finding in examination.differences()}


def test_every_table_is_either_planted_or_holds_nothing_of_a_dataset() -> None:
    assert set(metadata.tables) == set(planted.PLANTED) | planted.BARE


@pytest.mark.asvs("14.2.4")
def test_nothing_of_an_erased_model_and_of_its_erased_dataset_is_found_anywhere(platform: Platform) -> None:
    failed = add_job(platform.database, kind=Kind.TRAIN, dataset_name="iris", request={"target_column": "age"})
    fail_job(platform.database, failed)
    assert planted.plant(platform.database) > 15
    before = set(planted.found_in_rows(platform.database))
    assert before > OF_DATASET
    assert {"jobs.request", "jobs.result", "jobs.error", "jobs.progress", "job_logs.text"} < before
    assert {"model_registry.signature", "model_registry.report", "deployments.retired_reason"} < before
    assert {"model_registry.note", "model_tags.tag", "model_assessment.assessment"} < before
    erase(platform)
    # The job that failed is of the dataset alone.
    left = OF_DATASET | {"jobs.request", "jobs.result", "jobs.error", "jobs.progress"}
    assert set(planted.found_in_rows(platform.database)) == left
    erase_iris(platform)
    assert planted.found_in_rows(platform.database) == []
    with platform.database.read() as session:
        error = find_job(session, failed).error
    assert error is not None
    assert (error["code"], "erased" in error["message"]) == ("fit_failed", True)


def test_the_file_of_an_sqlite_database_has_nothing_of_it_either(
    sqlite_url: str, settings: Settings, tmp_path: Path
) -> None:
    platform = furnish(Database(sqlite_url), settings, tmp_path)
    planted.plant(platform.database)
    erase(platform)
    erase_iris(platform)
    path = Path(str(platform.database.engine.url.database))
    # The last connection that is closed writes the log of changes into the file, and removes it.
    platform.database.close()
    assert [file.name for file in path.parent.glob(f"{path.name}*") if planted.WORD.encode() in file.read_bytes()] == []


def test_the_files_of_an_erased_model_go_from_all_stages(platform: Platform) -> None:
    bucket = platform.settings.models_bucket
    # What an attempt to promote it left, which no row names.
    put(platform.store, bucket, "iris_model_production_v1.pkl", b"copy", folder=platform.folder)
    erase(platform)
    assert len(list(platform.store.list(bucket))) == 3
    # Of each stage an artifact and a compiled form are on the list, whether they are there or not.
    assert remove_discarded(platform.database, platform.store, platform.settings) == 6
    assert list(platform.store.list(bucket)) == []


def test_what_stays_of_an_erased_model_tells_its_history(platform: Platform) -> None:
    with platform.database.read() as session:
        model = find_models(session, [1])[0]
    erase(platform)
    with platform.database.read() as session:
        row = session.get_one(ErasedModelRow, 1)
        job = find_job(session, row.job_id)
        events = session.scalars(select(JobEventRow.to_state).where(JobEventRow.job_id == row.job_id)).all()
    assert (row.dataset_name, row.dataset_version, row.sha256) == ("iris", 1, model.sha256)
    assert (row.trained_at, row.promoted_at) == (model.row.trained_at, model.row.promoted_at)
    assert (row.erased_by, row.erased_at >= row.trained_at) == ("api", True)
    assert [(stay["stage"], stay["retired_at"] is None) for stay in row.deployments] == [
        ("dev", False),
        ("staging", False),
    ]
    assert (job.status, job.request, job.result, job.erased_at is not None) == (State.SUCCEEDED, {}, None, True)
    assert list(events) == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert log_of(platform.database, row.job_id) == []


def test_an_erased_model_is_refused_everywhere_and_its_number_is_not_given_again(platform: Platform) -> None:
    with platform.database.read() as session:
        job_id = find_models(session, [1])[0].row.job_id
    erase(platform)
    with platform.database.read() as session:
        assert list_models(session, ModelFilter(), limit=10) == []
        refused(lambda: find_models(session, [1]), ModelErased, "version 1 was erased on 20", "UTC")
        refused(lambda: find_models(session, [2]), UnknownModel)
        refused(lambda: ended_job(session, job_id), JobErased, "Send a new request")
        refused(
            lambda: check_promotion(session, dataset_name="iris", version=1, target_stage="staging", stages=STAGES),
            ModelErased,
        )
    refused(lambda: retire(platform, 1, "dev"), ModelErased)
    refused(lambda: erase(platform), ModelErased)
    refused(lambda: erase(platform, 2), UnknownModel)
    assert platform.train(data_of(platform), doubling()) == 2


def test_a_model_is_not_erased_while_it_serves_or_a_job_is_to_promote_it(platform: Platform) -> None:
    version = platform.train(data_of(platform), doubling())
    refused(lambda: erase(platform, version), ModelInUse, "active in: dev", f"POST /models/{version}/retire")
    retire(platform, version, "dev")
    queued = promote_job(platform.database, version=version)
    refused(lambda: erase(platform, version), ModelInUse, str(queued), "cancel")
    claim_job(platform.database, promote_job(platform.database, version=1))
    refused(lambda: erase(platform, 1), ModelInUse)
    with platform.database.write() as session:
        cancel(session, queued)
    erase(platform, version)
    with platform.database.read() as session:
        assert session.scalars(select(RegistryRow.version)).all() == [1]


def test_a_dataset_is_not_erased_while_it_has_models_or_jobs_that_go_on(platform: Platform) -> None:
    refused(lambda: erase_iris(platform), DatasetInUse, "'iris': 1.", "with DELETE /models/1")
    erase(platform)
    waiting = add_job(platform.database, kind=Kind.TRAIN, dataset_name="iris")
    refused(lambda: erase_iris(platform), DatasetInUse, str(waiting), "cancel")
    with platform.database.write() as session:
        cancel(session, waiting)
    erase_iris(platform)
    gone = refused(lambda: erase_iris(platform), UnknownDataset, "was erased on 20", "the name is free")
    assert "UTC" in gone


def test_what_stays_of_an_erased_dataset_is_counted_on_from(platform: Platform) -> None:
    with platform.database.read() as session:
        digest = session.execute(select(DatasetVersionRow.sha256)).scalar_one()
    erase(platform)
    erase_iris(platform)
    with platform.database.read() as session:
        assert list_datasets(session, limit=10) == []
        (row,) = session.scalars(select(ErasedDatasetVersionRow))
        assert (row.dataset_name, row.number, row.sha256, row.erased_by) == ("iris", 1, digest, "api")
        assert next_number(session, "iris") == 2
        assert next_number(session, "wine") == 1
        assert session.scalars(select(JobRow.id).where(JobRow.erased_at.is_(None))).all() == []
    platform.dataset()
    with platform.database.write() as session:
        delete_dataset(session, "iris")


def test_jobs_of_an_earlier_dataset_of_the_name_are_erased_with_the_present_one(platform: Platform) -> None:
    erase(platform)
    with platform.database.write() as session:
        delete_dataset(session, "iris")
    old = add_job(platform.database, kind=Kind.TRAIN, dataset_name="iris")
    fail_job(platform.database, old, message=planted.WORD)
    other = add_job(platform.database, kind=Kind.TRAIN, dataset_name="wine")
    fail_job(platform.database, other)
    platform.dataset()
    erase_iris(platform)
    with platform.database.read() as session:
        assert find_job(session, old).erased_at is not None
        assert find_job(session, other).erased_at is None


def test_an_erased_model_is_no_difference_and_a_file_of_it_that_is_there_is_named(platform: Platform) -> None:
    assert findings(platform) == {}
    erase(platform)
    assert findings(platform) == {"object_discarded": Level.NOTE}
    remove_discarded(platform.database, platform.store, platform.settings)
    assert findings(platform) == {}
    put(platform.store, platform.settings.models_bucket, "iris_model_dev_v1.pkl", b"restored", folder=platform.folder)
    # Not even a training that could come to name another file of the dataset speaks for it.
    claim_job(platform.database, add_job(platform.database, kind=Kind.TRAIN, dataset_name="iris"))
    assert findings(platform) == {"object_erased": Level.DIFFERS}


def test_what_is_erased_while_the_promotions_are_checked_is_no_difference(platform: Platform) -> None:
    def erase_between(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "jobs.result" in statement and "'promote'" not in statement and erased == []:
            erased.append(True)
            erase(other)

    erased: list[bool] = []
    other = platform.elsewhere()
    event.listen(platform.database.engine, "after_cursor_execute", erase_between)
    found = findings(platform)
    other.database.close()
    assert erased
    assert "effect_missing" not in found
