"""What the platform runs on in a test: everything embedded, or a server for each part."""

import os
import shutil
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pydantic import SecretStr

from shared.settings import Settings
from tests.support.buckets import Buckets
from tests.support.servers import S3, PostgreSQL, Valkey

VARIABLE = "MLMINI_TEST_STACK"
EMBEDDED, FULL, MIXED, BOTH = "embedded", "full", "mixed", "both"

SQLITE, POSTGRESQL = "sqlite", "postgresql"

# The database of a PostgreSQL server from which those of the tests are copied.
TEMPLATE = "migrated"

# The name under which Starlette's client asks.
TEST_CLIENT = ("testserver",)

# How long the first question to a predicting process may take: it imports what models need, on a machine that is busy.
BUSY = 120

# The tests of a file ask far more in a minute than anybody may.
NO_LIMIT = 0

# Nothing listens on this port.
NO_REDIS = SecretStr("redis://127.0.0.1:1/0")


def chosen_stack() -> str:
    """What the environment asks for.

    Raises:
        ValueError: when it asks for something else.
    """
    name = os.environ.get(VARIABLE, EMBEDDED)
    if name not in {EMBEDDED, FULL, MIXED, BOTH}:
        raise ValueError(
            f"{VARIABLE} is '{name}'. Set it to '{EMBEDDED}' (SQLite, a local store, no Redis for the API; the "
            f"default), to '{FULL}' (PostgreSQL, S3 and Valkey), to '{MIXED}' (each test on one of the two), or to "
            f"'{BOTH}'."
        )
    return name


def stacks_of(test: str, chosen: str, *, once: bool) -> tuple[str, ...]:
    """The stacks that a test runs on when `chosen` is asked for; `once` is one that shows the same on all of them.

    Of a mixture, half of the tests run on each, and a test always on the same one.
    """
    if once:
        return (FULL if chosen == FULL else EMBEDDED,)
    if chosen == MIXED:
        return (_one_of((EMBEDDED, FULL), test),)
    return (EMBEDDED, FULL) if chosen == BOTH else (chosen,)


def database_of_a_mixture(test: str) -> str:
    """The one database that a test of a part of the platform runs on, which otherwise runs on both."""
    return _one_of((SQLITE, POSTGRESQL), test)


def _one_of(choices: tuple[str, ...], test: str) -> str:
    """Always the same one for a test."""
    return choices[zlib.crc32(test.encode()) % len(choices)]


class Stack(ABC):
    """Makes installations that share nothing, and takes a part of all of them away for a while."""

    @abstractmethod
    def settings(self, home: Path) -> AbstractContextManager[Settings]:
        """Settings with a migrated database and a store that holds nothing."""

    @abstractmethod
    def without_database(self, settings: Settings, /) -> AbstractContextManager[None]:
        """No database answers within the block; what it held is there afterwards."""

    @abstractmethod
    def without_store(self, settings: Settings, /) -> AbstractContextManager[None]:
        """No object store answers within the block; what it held is there afterwards."""


class Embedded(Stack):
    """SQLite and a local store. The API has no Redis: it works without one."""

    def __init__(self, template: Path) -> None:
        """`template` is a migrated SQLite file."""
        self._template = template

    @contextmanager
    def settings(self, home: Path) -> Iterator[Settings]:
        """See Stack."""
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._template, home / "ml_registry.db")
        yield Settings(
            home=home,
            redis_url=NO_REDIS,
            examples=False,
            folds=0,
            predict_seconds=BUSY,
            allowed_hosts=TEST_CLIENT,
            rate_limit=NO_LIMIT,
        )

    @contextmanager
    def without_database(self, settings: Settings, /) -> Iterator[None]:
        """See Stack. A folder has the place of the file: SQLite would make a missing file anew."""
        present = sorted(settings.home.glob("ml_registry.db*"))
        away = [path.rename(path.with_name(f"away-{path.name}")) for path in present]
        (settings.home / "ml_registry.db").mkdir()
        yield
        (settings.home / "ml_registry.db").rmdir()
        for path, other in zip(present, away, strict=True):
            other.rename(path)

    @contextmanager
    def without_store(self, settings: Settings, /) -> Iterator[None]:
        """See Stack. A file has the place of the folder."""
        store = settings.home / "store"
        away = store.rename(settings.home / "away-store")
        store.touch()
        yield
        store.unlink()
        away.rename(store)


class Full(Stack):
    """A database of its own, buckets of its own and a Redis database of its own on servers that all tests share."""

    def __init__(self, postgres: PostgreSQL, s3: S3, buckets: Buckets, valkey: Valkey) -> None:
        self._postgres = postgres
        self._s3 = s3
        self._buckets = buckets
        self._valkey = valkey

    @contextmanager
    def settings(self, home: Path) -> Iterator[Settings]:
        """See Stack."""
        home.mkdir(parents=True, exist_ok=True)
        with self._postgres.fresh_database(TEMPLATE) as url, self._buckets.lend(home) as settings:
            urls = {"database_url": SecretStr(url), "redis_url": SecretStr(self._valkey.fresh_database())}
            others = {"predict_seconds": BUSY, "allowed_hosts": TEST_CLIENT, "rate_limit": NO_LIMIT}
            yield settings.model_copy(update=urls | others | {"examples": False, "folds": 0})

    @contextmanager
    def without_database(self, _settings: Settings, /) -> Iterator[None]:
        """See Stack."""
        self._postgres.stop()
        try:
            yield
        finally:
            self._postgres.start()

    @contextmanager
    def without_store(self, _settings: Settings, /) -> Iterator[None]:
        """See Stack."""
        self._s3.stop()
        try:
            yield
        finally:
            self._s3.start()
