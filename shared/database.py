"""Engines and transactions, the same on SQLite and PostgreSQL."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from shared.database_damage import OpenedFile, is_damage, opened_file
from shared.errors import DatabaseDamaged, DatabaseUnavailable

CONVENTIONS = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

LOCK_WAIT_SECONDS = 10
# A process that met damage takes no job for this time.
_SUSPECT_SECONDS = 60
_TURN = "holds the turn to write"
# When a server disappears, give up after about 20 seconds, not after TCP's default of hours.
_SILENCE = {
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class Base(DeclarativeBase):
    """The root of all rows."""

    metadata = MetaData(naming_convention=CONVENTIONS)


class Database:
    """One engine with the two kinds of transaction that the platform uses."""

    def __init__(self, url: str, *, pool_size: int = 10, existing: bool = False) -> None:
        """With `existing`, opening makes no file and leaves one of another program as it is."""
        self.engine = _create_engine(
            _existing(url) if existing else url, pool_size=pool_size, prepare=not existing, file=opened_file(url)
        )
        # When this process last met damage, by the monotonic clock; None after the database was found intact again.
        self.damaged_at: float | None = None
        # What every session knows, as its `info`.
        self.info: dict[str, Any] = {}
        self._writer = self.engine.execution_options(writes=True)
        self._reader = _of_one_moment(self.engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads, all of it as it is at one moment; it never waits for a writer on SQLite.

        Raises:
            DatabaseUnavailable: when the database cannot be reached or stays locked.
            DatabaseDamaged: when it shows damage, or its file is gone or another one.
        """
        with self._session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back on any error.

        On SQLite it takes the write lock at once: a lock that is only asked for at the first UPDATE loses
        updates silently. Raises DatabaseUnavailable and DatabaseDamaged like `read`.
        """
        with self._session(self._writer) as session:
            yield session
            session.commit()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False, info=self.info) as session:
                yield session
        except DatabaseDamaged:
            self.damaged_at = time.monotonic()
            raise
        except SQLAlchemyError as error:
            if is_damage(error):
                self.damaged_at = time.monotonic()
                raise DatabaseDamaged from error
            if not is_outage(error):
                raise
            raise DatabaseUnavailable(_NO_ROOM if _is_full(error) else "") from error

    @property
    def is_suspect(self) -> bool:
        """Whether this process met damage a short while ago."""
        return self.damaged_at is not None and time.monotonic() - self.damaged_at < _SUSPECT_SECONDS

    def close(self) -> None:
        """Close all connections; one that is in use when it comes back."""
        left = self.engine.pool
        self.engine.dispose()
        event.listen(left, "checkin", _close)
        # Those that came back meanwhile.
        left.dispose()


def _close(connection: DBAPIConnection | None, _record: ConnectionPoolEntry) -> None:
    if connection is not None:
        connection.close()


# Busy, locked, read-only, input/output, full, cannot open (https://sqlite.org/rescode.html).
_SQLITE_OUTAGES = {5, 6, 8, 10, 13, 14}
# Connection, rollback (deadlock), resources, lock timeout, shutdown, system errors.
_POSTGRESQL_OUTAGES = {"08", "40", "53", "55", "57", "58"}

_DISK_FULL = "53100"
_NO_ROOM = "The disk of the SQL database is full; nothing was accepted. Free some space there, then try again."


def is_outage(error: SQLAlchemyError) -> bool:
    """Whether an error comes from the database's state (away, locked, deadlock), not from the statement."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    if isinstance(error.orig, sqlite3.Error):
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_OUTAGES
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The server did not answer: it is away, or the driver refused a value, and another try would not help.
        return error.connection_invalidated or isinstance(error, OperationalError)
    return error.connection_invalidated or state[:2] in _POSTGRESQL_OUTAGES


def _is_full(error: SQLAlchemyError) -> bool:
    cause = getattr(error, "orig", None)
    is_full_file = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return is_full_file or getattr(cause, "sqlstate", None) == _DISK_FULL


def _existing(url: str) -> URL:
    parsed = make_url(url)
    path = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or path in {"", ":memory:"} or path.startswith("file:"):
        return parsed
    # https://sqlite.org/uri.html: read and write, but do not create.
    return parsed.set(database=f"file:{quote(path)}").update_query_dict({"mode": "rw", "uri": "true"})


def _create_engine(url: str | URL, *, pool_size: int, prepare: bool, file: OpenedFile | None) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size)
        event.listen(engine, "connect", _prepare_sqlite if prepare else _wait_for_sqlite)
        if file is not None:
            event.listen(engine, "do_connect", file.connecting)
            event.listen(engine, "connect", file.connected)
            # Comes before `turns.begin`: if the check failed after that, nobody would give the turn to write back.
            event.listen(engine, "begin", lambda _: file.check())
        turns = _Turns()
        event.listen(engine, "begin", turns.begin)
        event.listen(engine, "reset", turns.end)
        event.listen(engine, "invalidate", turns.end)
        return engine
    # The last one is for a process that stops inside a transaction: its locks must not be held forever.
    options = (
        f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"options": options, "connect_timeout": 5, **_SILENCE},
    )


def _of_one_moment(engine: Engine) -> Engine:
    """The engine for what only reads: what the first statement finds is there for the next one, too.

    A transaction of SQLite is so by itself. By PostgreSQL's default, a row that others have hidden or removed since the
    first statement would be missing in the second.
    """
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    _wait_for_sqlite(connection, record)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: else it could be read in the file until its place is used again.
    connection.execute("PRAGMA secure_delete = ON")


def _wait_for_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not open transactions by itself: `_Turns.begin` says how each one begins.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_SECONDS * 1000}")


class _Turns:
    """The threads of one process write to SQLite one at a time.

    SQLite lets one write at a time anyway, but those that wait for its lock sleep between their tries, up to 0.1 s.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction; one that writes takes SQLite's lock at once.

        Raises:
            DatabaseUnavailable: when others of this process have held it for too long.
        """
        if not connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql("BEGIN")
            return
        if not self._turn.acquire(timeout=LOCK_WAIT_SECONDS):
            raise DatabaseUnavailable
        connection.info[_TURN] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, connection: sqlite3.Connection | None, record: Any, _state: Any) -> None:
        """Called when the pool gets a connection back, whatever became of its transaction."""
        # When COMMIT fails, SQLite stays in the transaction and keeps the write lock, even in the pool.
        try:
            if connection is not None and connection.in_transaction:
                connection.rollback()
        finally:
            if record is not None and record.info.pop(_TURN, False):
                self._turn.release()
