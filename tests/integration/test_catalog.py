"""Looking up, listing, archiving and deleting, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from shared.database import Database
from shared.datasets.catalog import (
    archive_dataset,
    delete_dataset,
    find_dataset,
    find_entry,
    find_version,
    list_datasets,
    list_versions,
)
from shared.datasets.examples import ensure_example
from shared.datasets.rows import DatasetRow
from shared.discarded import remove_discarded
from shared.errors import DatasetInUse, UnknownDataset, UnknownDatasetVersion
from shared.jobs.acceptance import accept, find_job
from shared.jobs.states import Kind
from shared.object_store import open_store
from shared.registry.rows import RegistryRow
from shared.settings import Settings
from shared.tables.reader import Reader
from tests.support.catalog import Catalog


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(Settings(home=tmp_path_factory.mktemp("home")))
    yield reader
    reader.close()


@pytest.fixture
def catalog(database: Database, reader: Reader, settings: Settings) -> Iterator[Catalog]:
    store = open_store(settings)
    store.prepare()
    yield Catalog(database, store, reader, settings)
    store.close()


def register_model(catalog: Catalog, name: str) -> None:
    """A model that was trained on the newest version of a dataset."""
    with catalog.database.write() as session:
        dataset, version = find_entry(session, name)
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name=name, dataset_version_id=version.id)
        session.add(
            RegistryRow(
                version=1,
                dataset_id=dataset.id,
                dataset_version_id=version.id,
                job_id=job.id,
                stage="dev",
                artifact_path=f"{name}_model_dev_v1.pkl",
                estimator="dummy.DummyClassifier",
                parameters={},
                metrics={},
                signature={"target": "target"},
                report={},
                environment={},
            )
        )


def test_names_match_exactly_and_a_miss_suggests(catalog: Catalog) -> None:
    catalog.add("my_dataset")
    with catalog.database.read() as session:
        assert find_dataset(session, "my_dataset").name == "my_dataset"
        for asked in ("My DataSet.csv", "my_datasets", "mydataset"):
            with pytest.raises(UnknownDataset, match=r"Did you mean 'my_dataset'\?"):
                find_dataset(session, asked)
        with pytest.raises(UnknownDataset, match="GET /datasets lists them"):
            find_dataset(session, "x" * 300)


def test_a_version_is_found_by_number_or_as_the_newest(catalog: Catalog) -> None:
    for number in range(3):
        catalog.add("data", b"a\n%d\n" % number)
    with catalog.database.read() as session:
        dataset = find_dataset(session, "data")
        assert find_version(session, dataset, None).number == 3
        assert find_version(session, dataset, 2).number == 2
        with pytest.raises(UnknownDatasetVersion, match="no version 4; its newest is 3"):
            find_version(session, dataset, 4)
        assert [row.number for row in list_versions(session, dataset, limit=2)] == [3, 2]
        assert [row.number for row in list_versions(session, dataset, limit=2, before=2)] == [1]


def test_datasets_are_listed_by_name_with_their_newest_versions(catalog: Catalog) -> None:
    for name, content in (("b", b"a\n1\n"), ("a", b"a\n1\n"), ("b", b"a\n2\n")):
        catalog.add(name, content)
    with catalog.database.read() as session:
        listed = list_datasets(session, limit=10)
        assert [(entry.dataset.name, entry.version.number) for entry in listed] == [("a", 1), ("b", 2)]
        assert [entry.dataset.name for entry in list_datasets(session, limit=10, after="a")] == ["b"]
        assert len(list_datasets(session, limit=1)) == 1


def test_an_archived_dataset_is_hidden_until_its_name_is_uploaded_again(catalog: Catalog) -> None:
    catalog.add("data", b"a\n1\n")
    with catalog.database.write() as session:
        archive_dataset(session, "data")
        archive_dataset(session, "data")
    with catalog.database.read() as session:
        assert list_datasets(session, limit=10) == []
        with pytest.raises(UnknownDataset, match=r"archived\. Upload its file again"):
            find_dataset(session, "data")
        assert find_dataset(session, "data", include_archived=True).name == "data"
    assert not catalog.add("data", b"a\n1\n").created
    with catalog.database.write() as session:
        assert find_dataset(session, "data").archived_at is None
        archive_dataset(session, "data")
    assert catalog.add("data", b"a\n2\n").entry.version.number == 2
    with catalog.database.read() as session:
        assert find_dataset(session, "data").archived_at is None


def test_an_archived_example_comes_back_when_it_is_used(catalog: Catalog) -> None:
    parts = {
        "database": catalog.database, "store": catalog.store, "reader": catalog.reader, "settings": catalog.settings,
    }  # fmt: skip
    ensure_example("iris", **parts)  # type: ignore[arg-type]  # the parts are named as the arguments are
    with catalog.database.write() as session:
        archive_dataset(session, "iris")
    ensure_example("iris", **parts)  # type: ignore[arg-type]  # the parts are named as the arguments are
    with catalog.database.read() as session:
        assert find_dataset(session, "iris").archived_at is None


def test_a_deleted_dataset_is_gone_with_its_objects_and_its_jobs_stay(catalog: Catalog) -> None:
    first = catalog.add("data", b"a\n1\n").entry
    catalog.add("data", b"a\n2\n")
    with catalog.database.write() as session:
        job_id = accept(
            session, kind=Kind.TRAIN, request={}, dataset_name="data", dataset_version_id=first.version.id
        ).id
    with catalog.database.write() as session:
        delete_dataset(session, "data")
    assert len(catalog.keys()) == 2
    assert remove_discarded(catalog.database, catalog.store, catalog.settings) == 2
    assert (catalog.count_datasets(), catalog.versions(), catalog.keys()) == (0, [], [])
    with catalog.database.read() as session:
        assert find_job(session, job_id).dataset_version_id is None


def test_an_archived_dataset_can_be_deleted(catalog: Catalog) -> None:
    catalog.add("data")
    with catalog.database.write() as session:
        archive_dataset(session, "data")
    with catalog.database.write() as session:
        delete_dataset(session, "data")
    assert catalog.count_datasets() == 0


def test_a_dataset_with_a_model_is_not_deleted_but_can_be_archived(catalog: Catalog) -> None:
    catalog.add("data")
    register_model(catalog, "data")
    with pytest.raises(DatasetInUse, match="archive=true"), catalog.database.write() as session:
        delete_dataset(session, "data")
    with catalog.database.write() as session:
        assert session.scalar(select(DatasetRow.name)) == "data"
        archive_dataset(session, "data")
    assert len(catalog.keys()) == 1
