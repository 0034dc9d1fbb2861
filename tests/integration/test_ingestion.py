"""Files into the catalog, on both databases and both object stores."""

import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.database import Database
from shared.datasets.catalog import delete_dataset, find_dataset, find_entry, list_datasets
from shared.datasets.examples import EXAMPLES, TARGET, ensure_example
from shared.datasets.preview import preview
from shared.datasets.publishing import Incoming
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.datasets.spool import HEAD_BYTES
from shared.datasets.unfinished import STALE_SECONDS, clean_stale_uploads
from shared.errors import (
    DatasetCorrupt,
    ExampleNameTaken,
    InvalidTable,
    StoreUnavailable,
    UnknownDataset,
    UnknownExample,
    UploadOvertaken,
)
from shared.object_store import ObjectStore
from shared.settings import Settings
from shared.tables.options import ReadingOptions
from shared.tables.reader import Reader
from tests.support.catalog import Catalog, spooled
from tests.support.objects import put, read
from tests.support.tables import IRIS, parquet

# A database and a store know nothing of each other: each kind is there once.
pytestmark = pytest.mark.parametrize(
    ("database_url", "store_settings"), [("sqlite", "local"), ("postgresql", "s3")], indirect=True
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(Settings(home=tmp_path_factory.mktemp("home")))
    yield reader
    reader.close()


@pytest.fixture
def catalog(database: Database, store: ObjectStore, reader: Reader, store_settings: Settings) -> Catalog:
    return Catalog(database, store, reader, store_settings)


def example(catalog: Catalog, name: str) -> tuple[str, int]:
    return ensure_example(
        name, database=catalog.database, store=catalog.store, reader=catalog.reader, settings=catalog.settings
    )


def test_a_file_becomes_the_first_version_of_a_new_dataset(catalog: Catalog) -> None:
    done = catalog.add("flowers", IRIS.read_bytes(), description="Some flowers")
    dataset, version = done.entry
    assert done.created
    assert (dataset.name, dataset.description, dataset.location) == (
        "flowers", "Some flowers", f"datasets/{version.object_key}",
    )  # fmt: skip
    assert (version.number, version.format, version.rows) == (1, "csv", 150)
    assert read(catalog.store, catalog.settings.datasets_bucket, version.object_key) == IRIS.read_bytes()
    assert version.sha256 == hashlib.sha256(IRIS.read_bytes()).hexdigest()


def test_other_bytes_add_a_version_and_the_newest_bytes_again_do_not(catalog: Catalog) -> None:
    first = catalog.add("data", b"a\n1\n", description="one")
    second = catalog.add("data", b"a\n2\n")
    again = catalog.add("data", b"a\n2\n", description="two")
    assert (first.entry.version.number, second.entry.version.number, again.entry.version.number) == (1, 2, 2)
    assert (second.created, again.created) == (True, False)
    assert (second.entry.dataset.description, again.entry.dataset.description) == ("one", "two")
    # Going back to what was there before is a change too.
    assert catalog.add("data", b"a\n1\n").entry.version.number == 3
    assert len(catalog.keys()) == 3


def test_a_file_that_is_no_table_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(InvalidTable):
        catalog.add("data", b"\x89PNG")
    assert (catalog.count_datasets(), catalog.keys()) == (0, [])


def test_many_uploads_of_the_same_bytes_at_once_make_one_version(catalog: Catalog) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: catalog.add("data"), range(6)))
    assert sorted(each.created for each in done) == [False] * 5 + [True]
    assert catalog.versions() == [("data", 1, "ready")]
    assert catalog.keys() == [done[0].entry.version.object_key]


def test_many_uploads_of_other_bytes_at_once_get_a_number_each(catalog: Catalog) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda number: catalog.add("data", b"a\n%d\n" % number), range(6)))
    assert sorted(each.entry.version.number or 0 for each in done) == [1, 2, 3, 4, 5, 6]
    with catalog.database.read() as session:
        dataset, newest = find_entry(session, "data")
    assert dataset.location == f"datasets/{newest.object_key}"
    assert newest.number == 6


class Refusing:
    """A store that is away when something is put."""

    def __init__(self, store: ObjectStore, *, before: Any = None) -> None:
        self._store = store
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_new(self, *args: Any, **kwargs: Any) -> None:
        if self._before is None:
            raise StoreUnavailable
        self._store.put_new(*args, **kwargs)
        self._before()


def test_a_store_that_is_away_leaves_no_row(catalog: Catalog) -> None:
    store: Any = Refusing(catalog.store)
    broken = Catalog(catalog.database, store, catalog.reader, catalog.settings)
    with pytest.raises(StoreUnavailable):
        broken.add("data")
    assert (catalog.count_datasets(), catalog.versions(), catalog.keys()) == (0, [], [])
    assert catalog.add("data").entry.version.number == 1


def test_a_dataset_deleted_during_an_upload_is_told_and_leaves_nothing(catalog: Catalog) -> None:
    catalog.add("data", b"a\n1\n")

    def delete() -> None:
        with catalog.database.write() as session:
            delete_dataset(session, "data")

    store: Any = Refusing(catalog.store, before=delete)
    with pytest.raises(UploadOvertaken):
        Catalog(catalog.database, store, catalog.reader, catalog.settings).add("data", b"a\n2\n")
    assert (catalog.count_datasets(), catalog.keys()) == (0, [])


def abandon(catalog: Catalog, name: str, *, folder: Path) -> None:
    """Leave what an upload leaves whose process dies after its object is stored."""
    put(catalog.store, catalog.settings.datasets_bucket, f"{name}/abandoned.csv", b"a\n2\n", folder=folder)
    with catalog.database.write() as session:
        dataset = session.scalar(select(DatasetRow).where(DatasetRow.name == name)) or DatasetRow(name=name)
        session.add(dataset)
        session.flush()
        session.add(
            DatasetVersionRow(
                dataset_id=dataset.id,
                object_key=f"{name}/abandoned.csv",
                format="csv",
                reading={"format": "csv"},
                sha256="",
                size_bytes=4,
                rows=1,
                columns=[],
            )
        )


def test_an_upload_that_died_is_forgotten_after_an_hour(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add("kept", b"a\n1\n")
    for name in ("kept", "lost"):
        abandon(catalog, name, folder=tmp_path)
    clean_stale_uploads(catalog.database, catalog.store, catalog.settings)
    assert sorted(map(str, catalog.versions())) == [
        "('kept', 1, 'ready')", "('kept', None, 'uploading')", "('lost', None, 'uploading')",
    ]  # fmt: skip
    with catalog.database.write() as session:
        session.execute(update(DatasetVersionRow).values(created_at=Now(-STALE_SECONDS - 1)))
    clean_stale_uploads(catalog.database, catalog.store, catalog.settings)
    assert catalog.versions() == [("kept", 1, "ready")]
    assert catalog.count_datasets() == 1
    assert len(catalog.keys()) == 1


def test_an_upload_that_is_under_way_cannot_be_seen(catalog: Catalog, tmp_path: Path) -> None:
    abandon(catalog, "data", folder=tmp_path)
    with catalog.database.read() as session:
        assert list_datasets(session, limit=10) == []
        with pytest.raises(UnknownDataset):
            find_dataset(session, "data")
    assert catalog.add("data").entry.version.number == 1


def test_every_example_is_catalogued_once_also_under_concurrency(catalog: Catalog) -> None:
    with ThreadPoolExecutor(4) as pool:
        pinned = list(pool.map(lambda name: example(catalog, name), list(EXAMPLES) * 2))
    assert sorted(set(pinned)) == [(name, 1) for name in sorted(EXAMPLES)]
    assert len(catalog.keys()) == len(EXAMPLES)
    for name in EXAMPLES:
        with catalog.database.read() as session:
            dataset, version = find_entry(session, name)
        assert dataset.description == EXAMPLES[name]
        assert version.columns[-1]["name"] == TARGET
        assert all(column["missing"] == 0 for column in version.columns)


def test_an_example_pins_its_version_whatever_was_uploaded_since(catalog: Catalog) -> None:
    assert example(catalog, "iris") == ("iris", 1)
    catalog.add("iris")
    assert example(catalog, "iris") == ("iris", 1)


def test_an_example_leaves_other_data_of_its_name_alone(catalog: Catalog) -> None:
    catalog.add("iris")
    with pytest.raises(ExampleNameTaken, match="without 'use_example'"):
        example(catalog, "iris")
    assert catalog.versions() == [("iris", 1, "ready")]


def test_an_unknown_example_is_refused_with_a_suggestion(catalog: Catalog) -> None:
    with pytest.raises(UnknownExample, match="Did you mean 'iris'"):
        example(catalog, "irsi")


LONG = b"a,b\n" + b"".join(b"%d,%s\n" % (number, b"x" * 100) for number in range(60_000))


def first_rows(catalog: Catalog, version: DatasetVersionRow, rows: int = 3) -> list[Any]:
    """The first cell of each row that a preview shows."""
    bucket = catalog.settings.datasets_bucket
    shown = preview(version, rows, store=catalog.store, bucket=bucket, reader=catalog.reader)
    return [row[0] for row in shown.rows]


def exchange(catalog: Catalog, version: DatasetVersionRow, content: bytes, folder: Path) -> None:
    """Put other bytes in the place of a stored file, behind the back of the catalog."""
    bucket = catalog.settings.datasets_bucket
    catalog.store.delete(bucket, version.object_key)
    put(catalog.store, bucket, version.object_key, content, folder=folder)


@pytest.mark.parametrize("rows", [3, 1000])
def test_a_preview_fetches_only_the_beginning_of_a_long_file(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    version = catalog.add("long", LONG).entry.version
    assert len(LONG) > HEAD_BYTES * 1.4
    fetched = count_fetched(catalog.store, monkeypatch)
    assert first_rows(catalog, version, rows) == list(range(rows))
    assert sum(fetched) == HEAD_BYTES


def count_fetched(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of objects are read from now on."""
    fetched: list[int] = []
    open_object = store.open

    @contextmanager
    def counted(bucket: str, key: str, **part: Any) -> Iterator[BinaryIO]:
        with open_object(bucket, key, **part) as file:
            content = file.read()
        fetched.append(len(content))
        yield io.BytesIO(content)

    monkeypatch.setattr(store, "open", counted)
    return fetched


@pytest.mark.parametrize(
    ("content", "altered"),
    [
        (IRIS.read_bytes(), IRIS.read_bytes().replace(b"5.1", b"9.9", 1)),
        (LONG, LONG.replace(b"1,x", b"7,x", 1)),
        (LONG, LONG[: HEAD_BYTES - 1] + b"y" + LONG[HEAD_BYTES:]),
        (LONG, LONG[:-1_000_000]),
        (parquet({"a": [1, 2]}), parquet({"a": [1, 3]})),
    ],
    ids=["short", "the first row", "the last byte of the beginning", "cut", "parquet"],
)
def test_a_preview_of_an_altered_file_is_refused(
    catalog: Catalog, tmp_path: Path, content: bytes, altered: bytes
) -> None:
    version = catalog.add("data", content).entry.version
    assert len(first_rows(catalog, version, 2)) == 2
    exchange(catalog, version, altered, tmp_path)
    # What lies behind the beginning shows as soon as it is wanted.
    rows = 45_000 if altered[:HEAD_BYTES] == content[:HEAD_BYTES] else 2
    with pytest.raises(DatasetCorrupt, match=r"not what was uploaded\. Bring it back from a backup"):
        first_rows(catalog, version, rows)


def test_the_beginning_of_a_version_of_an_older_release_is_shown_and_checked_once_it_is_uploaded_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    version = catalog.add("long", LONG).entry.version
    with catalog.database.write() as session:
        session.execute(update(DatasetVersionRow).values(head_sha256=None))
    with catalog.database.read() as session:
        old = find_entry(session, "long").version
    altered = LONG.replace(b"1,x", b"7,x", 1)
    exchange(catalog, version, altered, tmp_path)
    assert first_rows(catalog, old) == [0, 7, 2]
    assert not catalog.add("long", LONG).created
    exchange(catalog, version, altered, tmp_path)
    with catalog.database.read() as session:
        again = find_entry(session, "long").version
    with pytest.raises(DatasetCorrupt):
        first_rows(catalog, again)


def test_a_preview_of_long_rows_reads_on(catalog: Catalog) -> None:
    cell = b"x" * 900_000
    content = b"a,b,c,d\n" + b"".join(b"%d,%s,%s,%s\n" % (number, cell, cell, cell) for number in range(4))
    version = catalog.add("wide", content).entry.version
    shown = preview(version, 4, store=catalog.store, bucket=catalog.settings.datasets_bucket, reader=catalog.reader)
    assert [row[0] for row in shown.rows] == [0, 1, 2, 3]


@pytest.mark.parametrize("instead", [None, b"a,b\n7,7\n", b"a,b\n1,2\n1,2\n"], ids=["lost", "altered", "longer"])
def test_the_same_upload_again_brings_back_a_file_that_the_store_has_lost(
    catalog: Catalog, tmp_path: Path, instead: bytes | None
) -> None:
    version = catalog.add("data").entry.version
    if instead is None:
        catalog.store.delete(catalog.settings.datasets_bucket, version.object_key)
    else:
        exchange(catalog, version, instead, tmp_path)
    again = catalog.add("data")
    assert not again.created
    assert catalog.versions() == [("data", 1, "ready")]
    assert catalog.keys() == [version.object_key]
    assert first_rows(catalog, again.entry.version) == [1]


def test_a_preview_of_a_lost_file_says_so(catalog: Catalog) -> None:
    version = catalog.add("data").entry.version
    catalog.store.delete(catalog.settings.datasets_bucket, version.object_key)
    with pytest.raises(StoreUnavailable, match="lost the file"):
        preview(version, 4, store=catalog.store, bucket=catalog.settings.datasets_bucket, reader=catalog.reader)


def test_what_others_have_to_wait_for_is_written_behind_the_version_and_what_holds_its_name_before(
    catalog: Catalog,
) -> None:
    told: list[tuple[str, bool]] = []

    def noting(what: str) -> Callable[[Session], None]:
        visible = select(DatasetRow.id).where(DatasetRow.name == "fish", DatasetRow.location.is_not(None))
        return lambda session: told.append((what, session.scalar(visible) is not None))

    file = spooled(catalog.reader.folder, b"a,b\n1,2\n")
    catalog.ingestor.ingest(Incoming(file, "fish", ReadingOptions()), hold=noting("hold"), mark=noting("mark"))
    assert told == [("hold", False), ("mark", True)]
