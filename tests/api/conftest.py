"""The API in this process, on an installation of its own on the chosen stack."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import event

from api.app import create_app
from api.parts import Parts
from shared.database import Database
from shared.prediction import processes
from shared.sandbox import Sandbox
from shared.settings import Settings
from shared.tables import reader
from tests.support.api_server import ApiServer
from tests.support.application import parts_of
from tests.support.models import Platform
from tests.support.remembered_document import remember_document
from tests.support.remembered_statements import remember_statements
from tests.support.server import running
from tests.support.stack import Stack


@pytest.fixture(scope="session", autouse=True)
def remembered() -> None:
    """What the application of each test would make anew."""
    remember_document()
    remember_statements()


@pytest.fixture(scope="session")
def fork_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sandbox]]:
    """Read the uploads of all applications of this process, and predict for them; by their entry functions."""
    entries = ("shared.tables.inspection:main", "shared.prediction.predicting_process:main")
    servers = {entry: Sandbox(entry, scratch=tmp_path_factory.mktemp("fork-server")) for entry in entries}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module", autouse=True)
def lent_fork_servers(fork_servers: dict[str, Sandbox]) -> Iterator[None]:
    """Applications have no fork servers of their own: each would import pandas anew."""

    class Lent:
        def __init__(self, entry: str, **_rest: object) -> None:
            self._lent = fork_servers[entry]
            self.run = self._lent.run

        @property
        def room_mb(self) -> int | None:
            return self._lent.room_mb

        def close(self) -> None:
            """It goes on for the next application."""

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "Sandbox", Lent)
        patched.setattr(processes, "Sandbox", Lent)
        yield


@pytest.fixture
def api_settings(tmp_path: Path, stack: Stack) -> Iterator[Settings]:
    """Settings on the chosen stack; without Redis on the embedded one."""
    with stack.settings(tmp_path / "home") as settings:
        yield settings


@pytest.fixture
def app(api_settings: Settings) -> FastAPI:
    """The application, not yet started."""
    return create_app(api_settings)


def _expect_members(answer: Response) -> None:
    """A program need not look for a suggestion in a sentence."""
    if answer.headers.get("content-type") == "application/problem+json" and answer.read():
        problem = answer.json()
        suggested = re.search(r"Did you mean '(.+?)'\?", problem["detail"])
        assert suggested is None or problem.get("did_you_mean") == suggested[1], problem


@contextmanager
def started(app: FastAPI) -> Iterator[TestClient]:
    """A client of the application while it runs; it checks every problem that it is answered with."""
    with TestClient(app) as client:
        client.event_hooks["response"].append(_expect_members)
        yield client


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the started application."""
    with started(app) as client:
        yield client


@pytest.fixture(scope="module")
def one_client(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[TestClient]:
    """A client of one application for all requests of a file that leave nothing behind: starts cost more than they."""
    with stack.settings(tmp_path_factory.mktemp("one")) as settings, started(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def one_parts(one_client: TestClient) -> Parts:
    """The parts that the application of `one_client` works with."""
    return parts_of(one_client)


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
def server(api_settings: Settings) -> Iterator[ApiServer]:
    """The API as a process of its own, with `api_settings`."""
    server = ApiServer(api_settings)
    with running(server):
        yield server


@pytest.fixture
def server_database(api_settings: Settings) -> Iterator[Database]:
    """The database of that process."""
    database = Database(api_settings.sqlalchemy_url)
    yield database
    database.close()


@pytest.fixture
def platform(parts: Parts, tmp_path: Path, request: pytest.FixtureRequest) -> Platform:
    """What the file's `furnish` makes of the started application, for a test that changes it."""
    furnished: Platform = request.module.furnish(parts, tmp_path)
    return furnished


@pytest.fixture(scope="module")
def one_platform(
    one_parts: Parts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Platform:
    """The same for all requests of a file that leave nothing behind."""
    furnished: Platform = request.module.furnish(one_parts, tmp_path_factory.mktemp("drafts"))
    return furnished


@pytest.fixture
def statements(api_database: Database) -> Iterator[list[str]]:
    """The statements that the application sends to its database, from now on."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(api_database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(api_database.engine, "before_cursor_execute", note)
