"""The backends of clusters: databases, stores and Redis, started once and used by one cluster after the other."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from shared.database import Database
from shared.migration import upgrade
from shared.settings import Settings
from tests.support.buckets import Buckets
from tests.support.servers import S3, PostgreSQL, running
from tests.support.stack import TEMPLATE

SQLITE, POSTGRESQL = "sqlite", "postgresql"
LOCAL, OBJECTS = "local", "s3"


class Kind(NamedTuple):
    """Which database and which store an installation has."""

    database: str
    store: str

    def __str__(self) -> str:
        return f"{self.database} and {self.store}"


# Seeds take them by turns.
KINDS = (Kind(SQLITE, LOCAL), Kind(POSTGRESQL, OBJECTS), Kind(SQLITE, OBJECTS), Kind(POSTGRESQL, LOCAL))


@dataclass
class Backends:
    """A migrated SQLite file, a PostgreSQL server with a migrated database to copy, and an S3 server."""

    sqlite_template: Path
    postgres: PostgreSQL
    s3: S3
    buckets: Buckets

    @contextmanager
    def settings(self, kind: Kind, home: Path) -> Iterator[Settings]:
        """Settings of an installation whose database and buckets are its own and empty."""
        with ExitStack() as stack:
            home.mkdir(parents=True, exist_ok=True)
            settings = Settings(home=home)
            if kind.store == OBJECTS:
                settings = stack.enter_context(self.buckets.lend(home))
            if kind.database == POSTGRESQL:
                url = stack.enter_context(self.postgres.fresh_database(TEMPLATE))
                settings = settings.model_copy(update={"database_url": SecretStr(url)})
            else:
                shutil.copyfile(self.sqlite_template, home / "ml_registry.db")
            yield settings.model_copy(update={"examples": False})


@contextmanager
def own_backends() -> Iterator[Backends]:
    """Servers for a program that is no test run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlmini-backends-")))
        _migrate(f"sqlite:///{folder / 'template.db'}")
        postgres, s3 = PostgreSQL(), S3()
        stack.enter_context(running(postgres))
        stack.enter_context(running(s3))
        postgres.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(postgres.url(TEMPLATE))
        yield Backends(folder / "template.db", postgres, s3, Buckets(s3))


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()
