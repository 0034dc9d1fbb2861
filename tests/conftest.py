"""Fixtures for every test. Servers start when the first test asks for one, once per pytest process."""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.database import Database
from shared.migration import upgrade
from shared.object_store import ObjectStore, open_store
from shared.settings import PREFIX, Settings
from tests.support.servers import S3, PostgreSQL, Valkey, running

_TEMPLATE = "migrated"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them, and no proxy stands before the local servers."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own: SQLite and a local store, nothing made yet."""
    return Settings(home=tmp_path / "home")


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server for the whole run; give your keys a prefix of their own."""
    server = Valkey()
    with running(server):
        yield server


@pytest.fixture(scope="session")
def valkey_url(valkey: Valkey) -> str:
    """The Redis URL of the shared Valkey server."""
    return valkey.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A PostgreSQL server with one migrated database, from which those of the tests are copied."""
    server = PostgreSQL()
    with running(server):
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        _migrate(server.url(_TEMPLATE))
        yield server


@pytest.fixture
def postgres_url(postgres: PostgreSQL) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database."""
    with postgres.fresh_database(_TEMPLATE) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh migrated SQLite database."""
    path = tmp_path / "test.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh migrated database; the test runs on both kinds."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database; the test runs on both kinds."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server for the whole run; use buckets of your own."""
    server = S3()
    with running(server):
        yield server


@pytest.fixture
def s3_settings(tmp_path: Path, s3_server: S3) -> Settings:
    """Settings of an S3 store with bucket names of their own, not made yet."""
    own = secrets.token_hex(6)
    return Settings(
        home=tmp_path / "home",
        store="s3",
        s3_endpoint_url=s3_server.endpoint_url,
        s3_access_key=SecretStr(s3_server.access_key),
        s3_secret_key=SecretStr(s3_server.secret_key),
        datasets_bucket=f"datasets-{own}",
        models_bucket=f"trained-models-{own}",
    )


@pytest.fixture(params=["local", "s3"])
def store_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of an object store; the test runs on both kinds."""
    settings: Settings = request.getfixturevalue("settings" if request.param == "local" else "s3_settings")
    return settings


@pytest.fixture
def store(store_settings: Settings) -> Iterator[ObjectStore]:
    """An empty object store with its buckets; the test runs on both kinds."""
    store = open_store(store_settings)
    store.prepare()
    yield store
    store.close()


def _migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()
