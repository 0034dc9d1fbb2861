"""Brings the schema to what this code needs, once, however many processes start together."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations
from shared.database import Database

# Any number will do, as long as nothing else in the database locks it.
_ADVISORY_LOCK = 7_265_011


def upgrade(database: Database) -> None:
    """Apply what is missing. Processes that call this together wait for the one that migrates."""
    with _alone(database) as connection:
        command.upgrade(configuration(connection), "head")
        connection.commit()


def is_current(database: Database) -> bool:
    """Whether the schema is the one that this code was written for."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the migrations of the installed package."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    if database.engine.dialect.name == "sqlite":
        with (
            _file_lock(Path(f"{database.engine.url.database}.migration-lock")),
            database.engine.connect() as connection,
        ):
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


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
