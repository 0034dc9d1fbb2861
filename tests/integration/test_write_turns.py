"""The threads of a process write to SQLite one at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, PendingRollbackError

import shared.database
from shared.counters import CounterRow, raise_counter
from shared.database import Database
from shared.errors import DatabaseUnavailable


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


def value_of(database: Database) -> int:
    with database.read() as session:
        return session.get_one(CounterRow, "model_version").value


def test_many_threads_write_without_losing_anything(sqlite: Database) -> None:
    def write() -> None:
        for _ in range(20):
            with sqlite.write() as session:
                raise_counter(session, "model_version")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(sqlite) == 160


def test_whoever_waits_for_its_turn_for_too_long_is_told_that_the_database_is_busy(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.database, "LOCK_WAIT_SECONDS", 0.1)
    refused: list[DatabaseUnavailable] = []

    def ask() -> None:
        try:
            with sqlite.write() as session:
                raise_counter(session, "model_version")
        except DatabaseUnavailable as error:
            refused.append(error)

    with sqlite.write() as session:
        raise_counter(session, "model_version")
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    assert len(refused) == 1
    assert value_of(sqlite) == 1


def test_a_write_that_fails_in_any_way_gives_its_turn_back(sqlite: Database) -> None:
    with pytest.raises(IntegrityError), sqlite.write() as session:
        session.execute(insert(CounterRow).values(name="model_version"))
    with pytest.raises(PendingRollbackError), sqlite.write() as session:
        session.connection().invalidate()
    with sqlite.write() as session:
        raise_counter(session, "model_version")
    assert value_of(sqlite) == 1


class Broken(sqlite3.Connection):
    """A connection to a disk that is gone."""

    in_transaction = True

    def rollback(self) -> None:
        raise sqlite3.OperationalError("disk I/O error")


def test_a_connection_that_cannot_even_roll_back_gives_its_turn_back(sqlite: Database) -> None:
    with sqlite.write() as session:
        record = session.connection().connection._connection_record
        with pytest.raises(sqlite3.OperationalError):
            event_of(sqlite)(Broken(":memory:"), record, None)
    with sqlite.write() as session:
        raise_counter(session, "model_version")
    assert value_of(sqlite) == 1


def event_of(database: Database) -> Any:
    """What the pool calls when it gets a connection back."""
    (listener,) = database.engine.pool.dispatch.reset
    return listener


def test_a_turn_is_given_back_when_another_process_holds_the_lock(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.database, "LOCK_WAIT_SECONDS", 0)
    # As another process sees it: with connections and turns of its own.
    other, sqlite = Database(sqlite_url), Database(sqlite_url)
    with other.write() as holding:
        holding.execute(text("SELECT 1"))
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable), sqlite.write() as session:
                raise_counter(session, "model_version")
    with sqlite.write() as session:
        raise_counter(session, "model_version")
    assert value_of(sqlite) == 1
    other.close()
    sqlite.close()
