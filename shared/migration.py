"""Brings the schema to what this code needs, once, however many processes start together."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from shared.database import Database
from shared.database_access import expect_primary, explained, folder_error
from shared.errors import WrongSettings
from shared.home import make_private
from shared.regular_file import open_regular

# Any number, as long as nothing else in the database uses it for a lock.
_ADVISORY_LOCK = 7_265_011


class SchemaState(StrEnum):
    """How the tables of a database relate to those that this code needs."""

    CURRENT = "current"
    BEHIND = "behind"
    AHEAD = "ahead"
    EMPTY = "empty"
    FOREIGN = "foreign"


_MADE_BY = "`mlmini up` {}, and so does `alembic upgrade head` with the same settings. Then start again."
SENTENCES = {
    SchemaState.BEHIND: "The tables of the database are those of an older release. "
    + _MADE_BY.format("brings them up to date"),
    SchemaState.AHEAD: "The tables of the database were made by a newer release than this one, or by another program. "
    "Run the newer release, bring back a backup of the database, or name another one in MLMINI_DATABASE_URL.",
    SchemaState.EMPTY: "The database has no tables yet. " + _MADE_BY.format("makes them"),
    SchemaState.FOREIGN: "The database has tables of another program and none of the platform's. Name a database for "
    "the platform alone in MLMINI_DATABASE_URL, or add its tables to this one by `alembic upgrade head`.",
}


def upgrade(database: Database) -> None:
    """Apply what is missing. Processes that call this together wait for the one that migrates.

    Raises:
        WrongSettings: when the database is that of a newer release or of another program; it is left as it is.
    """
    with exclusive_lock(database) as connection:
        _refuse_others(connection)
        command.upgrade(configuration(connection), "head")
        connection.commit()


@contextmanager
def exclusive_lock(database: Database) -> Iterator[Connection]:
    """Hold the one lock for changes that concern all processes, and give a connection; others wait for it.

    Raises:
        WrongSettings: when the database is that of a newer release or of another program.
    """
    if database.engine.dialect.name == "sqlite":
        path = Path(str(database.engine.url.database))
        lock = path.with_name(f"{path.name}.migration-lock")
        # No lock file is made beside another program's file. Where there is one, somebody may be migrating: wait.
        if _is_there(path) and not _is_there(lock):
            _look_ahead(database)
        with _file_lock(lock):
            if _is_there(path):
                _look_ahead(database)
            with database.engine.connect() as connection:
                yield connection
        return
    with database.engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _ADVISORY_LOCK})
            # The session's timeouts were lifted: do not give it back to the pool.
            connection.invalidate()


def check_schema(database: Database) -> None:
    """See that the database answers, has the tables of this release and is not a read-only copy of another one.

    Raises:
        DatabaseUnavailable: when it is away and may come back.
        WrongSettings: when it has other tables, or somebody has to change something else first.
    """
    with explained(), database.engine.connect() as connection:
        state = schema_state(connection)
        expect_primary(connection)
    if state is not SchemaState.CURRENT:
        raise WrongSettings(SENTENCES[state])


def schema_state(connection: Connection) -> SchemaState:
    """What the database holds, by the revision that is noted in it."""
    noted = set(MigrationContext.configure(connection).get_current_heads())
    if not noted:
        others = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return SchemaState.FOREIGN if others else SchemaState.EMPTY
    head, known = _revisions()
    if not noted <= known:
        return SchemaState.AHEAD
    return SchemaState.CURRENT if noted == {head} else SchemaState.BEHIND


def _refuse_others(connection: Connection) -> None:
    state = schema_state(connection)
    if state in {SchemaState.AHEAD, SchemaState.FOREIGN}:
        raise WrongSettings(SENTENCES[state])


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest revision of this release, and all that it knows."""
    scripts = ScriptDirectory.from_config(configuration())
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the migrations of the installed package."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _look_ahead(database: Database) -> None:
    """Refuse what `upgrade` refuses before the file is opened in a way that changes its journal."""
    untouched = Database(database.engine.url.render_as_string(hide_password=False), existing=True)
    try:
        with untouched.engine.connect() as connection:
            _refuse_others(connection)
    finally:
        untouched.close()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise folder_error(error) from None


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    try:
        make_private(path.parent)
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise folder_error(error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
