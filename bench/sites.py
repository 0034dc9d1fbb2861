"""Installations to measure: one on SQLite and one on PostgreSQL, both with a Redis of their own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from shared.database import Database
from shared.migration import upgrade
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.server import running
from tests.support.servers import PostgreSQL, Valkey


class Sites(NamedTuple):
    """Settings of the two, and a folder for notes."""

    sqlite: Settings
    postgresql: Settings
    folder: Path


@contextmanager
def sites() -> Iterator[Sites]:
    """Both installations, migrated and empty, with nothing running on them yet."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        valkey, postgres = Valkey(), PostgreSQL()
        opened.enter_context(running(valkey))
        opened.enter_context(running(postgres))
        postgres.execute("CREATE DATABASE bench")
        sqlite = Settings(home=folder / "sqlite", redis_url=SecretStr(valkey.url), log_level="WARNING", examples=False)
        url = SecretStr(postgres.url("bench"))
        found = Sites(sqlite, sqlite.model_copy(update={"home": folder / "postgresql", "database_url": url}), folder)
        prepare(found.sqlite)
        prepare(found.postgresql)
        yield found


def prepare(settings: Settings) -> None:
    """Make the database and the store of an installation."""
    database, store = Database(settings.sqlalchemy_url), open_store(settings)
    upgrade(database)
    store.prepare()
    store.close()
    database.close()
