"""A database that is damaged, or whose file is lost or exchanged, while the platform runs."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from shared.database import Database
from shared.database_access import check_intact
from shared.errors import DatabaseDamaged, PlatformError
from shared.schema import metadata
from shared.settings import Settings
from tests.support.stack import Embedded


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Iterator[Settings]:
    """A platform on SQLite and a local store."""
    with Embedded(sqlite_template).settings(tmp_path / "home") as settings:
        yield settings


def _no_database(file: Path) -> None:
    file.write_bytes(b"this is a letter to a friend, and no database at all\n" * 4000)


def _malformed(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(os.urandom(file.stat().st_size - 4096))


def _table_missing(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("DROP TABLE jobs")
        database.execute("DROP TABLE dataset_catalog")


def _deleted(file: Path) -> None:
    file.unlink()


def _replaced(file: Path) -> None:
    other = file.with_name("other.db")
    shutil.copyfile(file, other)
    other.replace(file)


@pytest.mark.parametrize("damage", [_no_database, _malformed, _table_missing, _deleted, _replaced])
def test_requests_and_readiness_tell_of_the_damage_and_nothing_is_accepted(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    app = create_app(settings)
    file = settings.home / "ml_registry.db"
    with TestClient(app) as client:
        assert client.get("/jobs").status_code == 200
        assert client.get("/readyz").json()["dependencies"]["database"]["state"] == "ok"
        if damage in {_no_database, _malformed}:
            # What SQLite has read it may keep; a connection that is made later reads anew.
            app.state.parts.database.engine.dispose()
            with closing(sqlite3.connect(file)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage(file)
        for answer in (client.get("/jobs"), client.post("/promote", json=PROMOTION)):
            assert answer.status_code == 503
            assert answer.json()["code"] == "database_damaged"
            assert "`mlmini fsck`" in answer.json()["detail"]
            assert "from a backup" in answer.json()["detail"]
            assert answer.headers["Retry-After"]
        ready = client.get("/readyz")
        assert ready.status_code == 503
        hint = ready.json()["dependencies"]["database"]["hint"]
        assert "from a backup" in hint
        assert client.get("/errors/database_damaged").status_code == 200


PROMOTION = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}


def is_damaged(database: Database) -> bool:
    try:
        with database.read() as session:
            session.execute(text("SELECT 1"))
    except DatabaseDamaged:
        return True
    return False


def test_a_deleted_file_is_not_made_anew(settings: Settings) -> None:
    database = Database(settings.sqlalchemy_url)
    with database.read() as session:
        session.execute(text("SELECT 1"))
    file = settings.home / "ml_registry.db"
    file.unlink()
    for _ in range(2):
        with pytest.raises(DatabaseDamaged), database.write() as session:
            session.execute(text("UPDATE counters SET value = value"))
        # The second try needs a new connection.
        database.engine.dispose()
    assert not file.exists()
    database.close()


def test_a_file_that_comes_back_is_used_again(settings: Settings) -> None:
    database = Database(settings.sqlalchemy_url)
    check_intact(database, metadata.tables)
    file = settings.home / "ml_registry.db"
    away = file.rename(settings.home / "away.db")
    assert is_damaged(database)
    assert database.is_suspect
    away.rename(file)
    with database.write() as session:
        session.execute(text("UPDATE counters SET value = value"))
    check_intact(database, metadata.tables)
    assert not is_damaged(database)
    assert database.damaged_at is None
    database.close()


def test_a_table_that_is_missing_is_damage_on_both_databases(database: Database) -> None:
    check_intact(database, metadata.tables)
    with database.write() as session:
        session.execute(text("DROP TABLE job_logs"))
    with pytest.raises(DatabaseDamaged), database.read() as session:
        session.execute(text("SELECT * FROM job_logs"))
    with pytest.raises(DatabaseDamaged):
        check_intact(database, metadata.tables)


def test_damage_is_looked_for_in_the_file_and_not_in_what_was_read_of_it_before(settings: Settings) -> None:
    database = Database(settings.sqlalchemy_url)
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        assert connection.execute(text("PRAGMA quick_check(1)")).scalar() == "ok"
    _malformed(settings.home / "ml_registry.db")
    setattr(database, "damaged_at", 0.0)  # noqa: B010 - as below
    with pytest.raises(PlatformError):
        check_intact(database, metadata.tables)
    assert database.damaged_at is not None
    database.close()


def test_damage_that_is_found_mended_is_forgotten(settings: Settings) -> None:
    database = Database(settings.sqlalchemy_url)
    setattr(database, "damaged_at", 0.0)  # noqa: B010 - a plain assignment makes mypy believe that it stays
    check_intact(database, metadata.tables)
    assert database.damaged_at is None
    database.close()
