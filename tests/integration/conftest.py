"""Servers that ask who is there, and what bad luck can happen to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bad_luck import Guarded, GuardedPostgreSQL, GuardedS3, GuardedValkey, Scene
from tests.support.processes import run
from tests.support.remembered_statements import remember_statements
from tests.support.servers import running


@pytest.fixture(scope="session", autouse=True)
def remembered() -> None:
    """What the database of each test would have written anew."""
    remember_statements()


@pytest.fixture(scope="session")
def guarded() -> Iterator[Guarded]:
    """A server of each kind, with users and passwords."""
    found = Guarded(GuardedPostgreSQL(), GuardedS3(), GuardedValkey())
    with running(found.postgres), running(found.s3), running(found.valkey):
        found.postgres.execute("CREATE DATABASE migrated")
        url = found.postgres.url("migrated")
        migrated = run("alembic", "upgrade", "head", variables={"MLMINI_DATABASE_URL": url})
        assert migrated.returncode == 0, migrated.stderr
        yield found


@pytest.fixture
def scene(tmp_path: Path, sqlite_template: Path, guarded: Guarded) -> Scene:
    """A folder, and those servers."""
    return Scene(tmp_path, sqlite_template, guarded.postgres, guarded.s3, guarded.valkey)
