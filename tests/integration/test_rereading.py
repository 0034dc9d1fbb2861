"""Files of versions that are read anew, on both databases and both object stores."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from shared.consistency import Examination
from shared.database import Database
from shared.datasets.catalog import archive_dataset, delete_dataset, find_entry
from shared.datasets.examples import ensure_example
from shared.datasets.publishing import Ingestion
from shared.datasets.rereading import reread
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.datasets.spool import HEAD_BYTES
from shared.discarded import remove_now
from shared.errors import DatasetCorrupt, StoreUnavailable, UploadOvertaken
from shared.object_store import ObjectStore
from shared.registry.erasure import erase_dataset
from shared.registry.orphan_collector import OrphanCollector
from shared.settings import Settings
from shared.tables.options import ReadingOptions
from shared.tables.reader import Reader
from tests.support.catalog import Catalog
from tests.support.objects import put, read

# A database and a store know nothing of each other: each kind is there once.
pytestmark = pytest.mark.parametrize(
    ("database_url", "store_settings"), [("sqlite", "local"), ("postgresql", "s3")], indirect=True
)

TABLE = b"a,b\n1,2\n"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(Settings(home=tmp_path_factory.mktemp("home")))
    yield reader
    reader.close()


@pytest.fixture
def catalog(database: Database, store: ObjectStore, reader: Reader, store_settings: Settings) -> Catalog:
    return Catalog(database, store, reader, store_settings)


def age(catalog: Catalog) -> None:
    """Make all versions such as an older release took: its rules are others, and it kept no digest of beginnings."""
    with catalog.database.write() as session:
        for version in session.scalars(select(DatasetVersionRow)):
            version.reading = {**version.reading, "rules": 1}
            version.head_sha256 = None


def anew(catalog: Catalog, name: str = "data", number: int | None = None, **options: Any) -> Ingestion:
    ingestor = catalog.ingestor
    return reread(name, number, ReadingOptions(**options), ingestor=ingestor, then=ingestor.ingest)


def twice(catalog: Catalog, name: str = "data", content: bytes = TABLE) -> Ingestion:
    """A version of an older release, and the same bytes read by the rules of today."""
    catalog.add(name, content)
    age(catalog)
    return anew(catalog, name)


def test_each_reading_has_a_file_of_its_own(catalog: Catalog) -> None:
    content = b"number\n" + b"12345\n" * (HEAD_BYTES // 4)
    done = twice(catalog, content=content)
    assert (done.created, done.entry.version.number) == (True, 2)
    assert done.entry.dataset.location == f"datasets/{done.entry.version.object_key}"
    with catalog.database.read() as session:
        first, second = session.scalars(select(DatasetVersionRow).order_by(DatasetVersionRow.number)).all()
    assert catalog.keys() == sorted([first.object_key, second.object_key])
    assert first.sha256 == second.sha256
    assert read(catalog.store, catalog.settings.datasets_bucket, second.object_key) == content
    # As an upload would have it.
    assert second.head_sha256 == catalog.add("other", content).entry.version.head_sha256
    assert list(catalog.reader.folder.glob("fetched-*")) == []


def test_a_reading_that_is_there_is_not_made_again(catalog: Catalog) -> None:
    twice(catalog)
    again = anew(catalog)
    assert (again.created, again.entry.version.number, len(catalog.keys())) == (False, 2, 2)
    # The first one is not the newest, so its bytes, read so, are what the newest holds.
    assert anew(catalog, number=1).entry.version.number == 2


def test_examination_and_collection_leave_both_files_alone(catalog: Catalog) -> None:
    twice(catalog)
    examination = Examination(catalog.database, catalog.store, catalog.settings, key=None, deep=True)
    assert [each for each in examination.differences() if catalog.settings.datasets_bucket in each.about] == []
    collected = OrphanCollector(catalog.database, catalog.store, catalog.settings).collect()
    assert (collected.orphans, collected.foreign, len(catalog.keys())) == (0, 0, 2)


def delete(catalog: Catalog) -> None:
    with catalog.database.write() as session:
        delete_dataset(session, "data")


def erase(catalog: Catalog) -> None:
    with catalog.database.write() as session:
        erase_dataset(session, "data", actor="test")


@pytest.mark.parametrize("remove", [delete, erase])
def test_a_dataset_goes_with_all_its_files(catalog: Catalog, remove: Callable[[Catalog], None]) -> None:
    twice(catalog)
    remove(catalog)
    remove_now(catalog.database, catalog.store, catalog.settings)
    assert (catalog.keys(), catalog.versions()) == ([], [])


def test_a_file_that_was_altered_is_not_read_anew(catalog: Catalog, tmp_path: Path) -> None:
    key = catalog.add("data").entry.version.object_key
    catalog.store.delete(catalog.settings.datasets_bucket, key)
    with pytest.raises(StoreUnavailable, match="has lost"):
        anew(catalog)
    put(catalog.store, catalog.settings.datasets_bucket, key, b"a,b\n1,3\n", folder=tmp_path)
    with pytest.raises(DatasetCorrupt):
        anew(catalog)
    assert (catalog.versions(), catalog.keys()) == ([("data", 1, "ready")], [key])


class At:
    """A store at which something happens before or after it is given a file."""

    def __init__(self, store: ObjectStore, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._store, self._before, self._after = store, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_new(self, *args: Any, **kwargs: Any) -> None:
        self._before()
        self._store.put_new(*args, **kwargs)
        self._after()


def disturbed(
    catalog: Catalog, *, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
) -> Catalog:
    store: Any = At(catalog.store, before, after)
    return Catalog(catalog.database, store, catalog.reader, catalog.settings)


def test_a_store_that_is_away_leaves_the_version_that_is_there(catalog: Catalog) -> None:
    catalog.add("data")
    age(catalog)
    before = catalog.keys()

    def fail() -> None:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        anew(disturbed(catalog, before=fail))
    assert (catalog.versions(), catalog.keys()) == ([("data", 1, "ready")], before)


def test_a_dataset_deleted_meanwhile_does_not_come_back(catalog: Catalog) -> None:
    catalog.add("data")
    age(catalog)
    with pytest.raises(UploadOvertaken):
        anew(disturbed(catalog, after=lambda: delete(catalog)))
    assert (catalog.count_datasets(), catalog.keys()) == (0, [])


def test_a_dataset_deleted_while_its_file_is_fetched_does_not_come_back_either(catalog: Catalog) -> None:
    catalog.add("data")
    age(catalog)
    ingestor = catalog.ingestor

    def late(incoming: Any) -> Ingestion:
        delete(catalog)
        return ingestor.ingest(incoming)

    with pytest.raises(UploadOvertaken):
        reread("data", None, ReadingOptions(), ingestor=ingestor, then=late)
    assert catalog.count_datasets() == 0


def test_a_dataset_archived_meanwhile_stays_hidden(catalog: Catalog) -> None:
    catalog.add("data")
    age(catalog)

    def archive() -> None:
        with catalog.database.write() as session:
            archive_dataset(session, "data")

    assert anew(disturbed(catalog, after=archive)).created
    assert is_archived(catalog)


def test_a_dataset_archived_meanwhile_stays_hidden_also_where_nothing_is_new(catalog: Catalog) -> None:
    catalog.add("data")
    ingestor = catalog.ingestor

    def late(incoming: Any) -> Ingestion:
        with catalog.database.write() as session:
            archive_dataset(session, "data")
        return ingestor.ingest(incoming)

    assert not reread("data", None, ReadingOptions(), ingestor=ingestor, then=late).created
    assert is_archived(catalog)


def is_archived(catalog: Catalog) -> bool:
    with catalog.database.read() as session:
        return session.scalars(select(DatasetRow.archived_at)).one() is not None


def test_two_that_read_anew_at_once_make_one_version(catalog: Catalog) -> None:
    catalog.add("data")
    age(catalog)
    done = anew(disturbed(catalog, after=lambda: void(anew(catalog))))
    assert (done.created, done.entry.version.number, len(catalog.keys())) == (False, 2, 2)


def void(_: object) -> None:
    """Drop what was returned."""


def test_an_example_is_pinned_as_a_plain_upload_reads_it(catalog: Catalog) -> None:
    def example() -> tuple[str, int]:
        return ensure_example(
            "iris", database=catalog.database, store=catalog.store, reader=catalog.reader, settings=catalog.settings
        )

    assert example() == ("iris", 1)
    age(catalog)
    assert anew(catalog, "iris", kinds={"target": "category"}).entry.version.number == 2
    # What was read by options is not what the example is, though it is newer.
    assert example() == ("iris", 1)
    with catalog.database.read() as session:
        assert find_entry(session, "iris").version.options == {"kinds": {"target": "category"}}
    age(catalog)
    assert anew(catalog, "iris", number=1).entry.version.number == 3
    assert example() == ("iris", 3)
