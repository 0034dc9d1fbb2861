"""A database that others hold locked."""

import sqlite3
import threading
from contextlib import closing, suppress
from typing import Any

from sqlalchemy import event, text, update
from sqlalchemy.exc import SQLAlchemyError

from shared.counters import CounterRow
from shared.database import Database
from shared.errors import DatabaseUnavailable
from shared.jobs.rows import JobRow

# Who runs holds no lock for so long, and who stands still lets go of none.
_SHORT_MILLISECONDS = 1000
_LOCK_ALL = "LOCK TABLE jobs, counters, model_registry, deployments IN EXCLUSIVE MODE"


class Lock:
    """Holds the write lock of SQLite, or PostgreSQL's locks on the tables that everybody writes to, until released.

    Reading goes on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held = threading.Event()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="lock", daemon=True)

    def take(self) -> bool:
        """Begin to take it; whether it is held already when this returns, which others may delay."""
        self._thread.start()
        return self._held.wait(5)

    def release(self) -> None:
        """Give it back."""
        self._released.set()
        self._thread.join()

    def _hold(self) -> None:
        # Others may hold what is wanted for longer than the driver waits, or have the server restarted.
        with (
            suppress(SQLAlchemyError),
            self._database.engine.connect().execution_options(writes=True) as connection,
        ):
            sqlite = connection.dialect.name == "sqlite"
            # SQLite's lock comes with the first statement.
            connection.execute(text("SELECT 1" if sqlite else _LOCK_ALL))
            self._held.set()
            self._released.wait()
            connection.rollback()


def can_be_written(url: str) -> bool:
    """Whether nobody who stands still holds a lock of this database that others need."""
    with closing(Database(url)) as database:
        event.listen(database.engine, "connect", _be_hasty)
        with suppress(DatabaseUnavailable), database.write() as session:
            # On PostgreSQL a lock is of one row: try those that a worker writes to.
            session.execute(update(JobRow).values(worker=JobRow.worker))
            session.execute(update(CounterRow).values(value=CounterRow.value))
            return True
    return False


def _be_hasty(connection: Any, _record: object) -> None:
    sqlite = isinstance(connection, sqlite3.Connection)
    connection.execute(
        f"PRAGMA busy_timeout = {_SHORT_MILLISECONDS}" if sqlite else f"SET lock_timeout = {_SHORT_MILLISECONDS}"
    )
    connection.commit()
