"""A database that others hold locked."""

import threading
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.database import Database

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
