"""The list of objects that deletions leave to be removed."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from shared.database import Database
from shared.discarded import DiscardedObjectRow, discard, remove_discarded, remove_now
from shared.errors import StoreUnavailable
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.settings import Settings
from tests.support.objects import put


def discard_some(database: Database, store: ObjectStore, settings: Settings, folder: Path, *, count: int) -> None:
    """As many objects on each shelf, one in two of which is there."""
    for shelf in Shelf:
        keys = [f"{shelf}/{number}" for number in range(count)]
        for key in keys[::2]:
            put(store, bucket_of(shelf, settings), key, b"data", folder=folder)
        for _ in range(2):
            with database.write() as session:
                discard(session, shelf, keys)


def count_discarded(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(DiscardedObjectRow)) or 0


def left(store: ObjectStore, settings: Settings) -> int:
    return sum(len(list(store.list(bucket_of(shelf, settings)))) for shelf in Shelf)


def test_discarded_objects_are_removed_once_whether_they_are_there_or_not(
    database: Database, store: ObjectStore, store_settings: Settings, tmp_path: Path
) -> None:
    discard_some(database, store, store_settings, tmp_path, count=3)
    assert remove_discarded(database, store, store_settings, stopping=lambda: True) == 0
    assert left(store, store_settings) == 2 * len(Shelf)
    assert remove_discarded(database, store, store_settings) == 3 * len(Shelf)
    assert (left(store, store_settings), count_discarded(database)) == (0, 0)
    assert remove_discarded(database, store, store_settings) == 0


def test_more_than_one_statement_lists_are_removed(database: Database, settings: Settings, tmp_path: Path) -> None:
    class Counting:
        deleted = 0

        def delete(self, _bucket: str, _key: str) -> None:
            self.deleted += 1

    store = Counting()
    with database.write() as session:
        discard(session, Shelf.MODELS, [f"key-{number}" for number in range(101)])
        discard(session, Shelf.DATASETS, [])
    assert remove_discarded(database, store, settings) == 101  # type: ignore[arg-type]  # it needs no more of a store
    assert store.deleted == 101


def test_what_a_store_that_is_away_keeps_stays_on_the_list(
    database: Database, store: ObjectStore, store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    discard_some(database, store, store_settings, tmp_path, count=2)

    def away(_bucket: str, _key: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(store, "delete", away)
        with pytest.raises(StoreUnavailable):
            remove_discarded(database, store, store_settings)
        with capture_logs() as told:
            remove_now(database, store, store_settings)
    assert [entry["event"] for entry in told] == ["discarded_objects_left"]
    assert count_discarded(database) == 2 * len(Shelf)
    remove_now(database, store, store_settings)
    assert (left(store, store_settings), count_discarded(database)) == (0, 0)
