"""The API in this process, on a home of its own with SQLite and a local store; Redis is away."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import event

from api.app import create_app
from api.lifespan import Parts
from shared.database import Database
from shared.settings import Settings

# Nothing listens on this port.
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def api_settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings with a migrated SQLite database, a local store and no Redis."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(sqlite_template, home / "ml_registry.db")
    return Settings(home=home, redis_url=SecretStr(NO_REDIS))


@pytest.fixture
def app(api_settings: Settings) -> FastAPI:
    """The application, not yet started."""
    return create_app(api_settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the started application."""
    with TestClient(app) as client:
        yield client


@pytest.fixture
def parts(app: FastAPI, client: TestClient) -> Parts:
    """The parts that the started application works with."""
    parts: Parts = app.state.parts
    return parts


@pytest.fixture
def api_database(parts: Parts) -> Database:
    """The database of the started application."""
    return parts.database


@pytest.fixture
def statements(api_database: Database) -> Iterator[list[str]]:
    """The statements that the application sends to its database, from now on."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(api_database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(api_database.engine, "before_cursor_execute", note)
