"""The bundled examples are catalogued at the first start, once, and whatever happens then stays."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from api.first_start import FirstStart
from shared.database import Database
from shared.datasets.catalog import archive_dataset, delete_dataset, list_datasets
from shared.datasets.examples import EXAMPLES
from shared.datasets.ingestion import Ingestor
from shared.datasets.publishing import Incoming
from shared.datasets.spool import Spool
from shared.object_store import ObjectStore, open_store
from shared.settings import Settings
from shared.tables.options import ReadingOptions
from shared.tables.reader import Reader
from tests.support.alive import alive
from tests.support.api_server import ApiServer
from tests.support.server import running
from tests.support.waiting import eventually


@pytest.fixture
def store(settings: Settings) -> Iterator[ObjectStore]:
    """An empty local store."""
    store = open_store(settings)
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def reader(settings: Settings) -> Iterator[Reader]:
    """A reader of files."""
    reader = Reader(settings)
    yield reader
    reader.close()


def start(database: Database, store: ObjectStore, reader: Reader, settings: Settings) -> None:
    """What a process does at its start, to the end."""
    FirstStart(database, store, reader, settings).catalogue()


def names(database: Database) -> list[str]:
    """The datasets that are in the catalog."""
    with database.read() as session:
        return [entry.dataset.name for entry in list_datasets(session, limit=100, after=None)]


def delete(database: Database, name: str) -> None:
    """What `DELETE /datasets/{name}` does."""
    with database.write() as session:
        delete_dataset(session, name)


def test_the_examples_are_there_after_the_first_start(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    start(database, store, reader, settings)
    assert names(database) == sorted(EXAMPLES)


def test_what_was_deleted_or_archived_does_not_come_back(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    start(database, store, reader, settings)
    delete(database, "iris")
    with database.write() as session:
        archive_dataset(session, "wine")
    start(database, store, reader, settings)
    assert names(database) == ["breast_cancer", "diabetes"]


def test_of_several_processes_one_catalogues_each_example(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    threads = [threading.Thread(target=start, args=(database, store, reader, settings)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(database) == sorted(EXAMPLES)
    assert len(list(store.list(settings.datasets_bucket))) == len(EXAMPLES)
    with database.read() as session:
        assert {entry.version.number for entry in list_datasets(session, limit=100, after=None)} == {1}


def test_a_process_that_comes_late_does_not_bring_back_what_was_deleted_meanwhile(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    late = FirstStart(database, store, reader, settings)
    # It has seen that nothing is catalogued; then another process was faster, and a person deleted one example.
    seen = late.done()
    start(database, store, reader, settings)
    delete(database, "iris")
    late.catalogue(done=seen)
    assert names(database) == ["breast_cancer", "diabetes", "wine"]
    # Neither the file that was deleted nor the one that the late process has stored is left.
    kept = [entry.key.partition("/")[0] for entry in store.list(settings.datasets_bucket)]
    assert kept == ["breast_cancer", "diabetes", "wine"]


def test_data_of_ones_own_under_the_name_of_an_example_stays(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    spool = Spool(reader.folder)
    spool.write(b"a,b\n1,2\n")
    Ingestor(database, store, reader, settings).ingest(Incoming(spool.finish(), "iris", ReadingOptions()))
    start(database, store, reader, settings)
    delete(database, "iris")
    start(database, store, reader, settings)
    assert names(database) == ["breast_cancer", "diabetes", "wine"]


def test_without_the_store_the_next_start_tries_again(
    database: Database, store: ObjectStore, reader: Reader, settings: Settings
) -> None:
    folder = settings.home / "store"
    away = folder.rename(settings.home / "away")
    folder.touch()
    with capture_logs() as logs:
        start(database, store, reader, settings)
    assert "examples_not_catalogued" in [line["event"] for line in logs]
    assert names(database) == []
    folder.unlink()
    away.rename(folder)
    start(database, store, reader, settings)
    assert names(database) == sorted(EXAMPLES)


def test_without_the_database_it_is_said_and_nothing_more(
    store: ObjectStore, reader: Reader, settings: Settings, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no-tables.db'}")
    with capture_logs() as logs:
        start(database, store, reader, settings)
    assert [line["event"] for line in logs] == ["examples_not_catalogued"]
    database.close()


@pytest.fixture
def server(settings: Settings, sqlite_url: str) -> Iterator[ApiServer]:
    """A real process of the API at its first start."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    settings.home.mkdir()
    path.rename(settings.home / "ml_registry.db")
    server = ApiServer(settings)
    with running(server):
        yield server


def test_a_process_that_is_stopped_while_it_catalogues_ends_soon_and_leaves_nothing(server: ApiServer) -> None:
    process = psutil.Process(server.pid)
    family = eventually(process.children, timeout=30, what="the child that reads files")
    process.send_signal(signal.SIGTERM)
    assert server.process is not None
    server.process.wait(timeout=30)
    eventually(lambda: not any(map(alive, family)))
    said = (server.folder / "log").read_text()
    assert "Traceback" not in said
    assert "reader_child_failed" not in said
