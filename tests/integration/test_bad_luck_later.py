"""What goes wrong while the API runs is told under /readyz, and nothing that a stranger should not read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from alembic import command
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from api.app import create_app
from shared.database import Database
from shared.migration import configuration
from shared.settings import Settings
from tests.support.bad_luck import SECRET, Scene
from tests.support.stack import NO_REDIS


@contextmanager
def asked(settings: Settings) -> Iterator[Callable[[], dict[str, Any]]]:
    """A running API, and what it says of its parts."""
    with TestClient(create_app(settings), base_url="http://localhost") as client:

        def dependencies() -> dict[str, Any]:
            answer = client.get("/readyz")
            assert SECRET not in answer.text
            assert str(settings.home) not in answer.text
            found: dict[str, Any] = answer.json()["dependencies"]
            return found

        assert dependencies()["database"] == {"state": "ok", "hint": None}
        yield dependencies


@pytest.fixture
def well(scene: Scene) -> Settings:
    """An installation without bad luck; there is no Redis, and it needs none."""
    return Settings(home=scene.migrated(), redis_url=NO_REDIS, examples=False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda database: revise(database, "9999"), "made by a newer release"),
        (lambda database: run_alembic(database, "downgrade", "-1"), "`alembic upgrade head`"),
        (lambda database: run_alembic(database, "downgrade", "base"), "no tables yet"),
    ],
    ids=["newer", "older", "none"],
)
def test_another_schema_is_told_by_a_running_api(well: Settings, change: Callable[[Database], None], says: str) -> None:
    with asked(well) as dependencies:
        database = Database(well.sqlalchemy_url)
        change(database)
        database.close()
        found = dependencies()["database"]
        assert (found["state"], says in found["hint"]) == ("down", True)


def test_a_password_that_was_changed_is_told_by_a_running_api(scene: Scene, well: Settings) -> None:
    url = f"postgresql://guarded:right@127.0.0.1:{scene.postgres.port}/migrated"
    scene.postgres.execute("GRANT pg_read_all_data TO guarded")
    with asked(well.model_copy(update={"database_url": SecretStr(url)})) as dependencies:
        scene.postgres.execute(f"ALTER ROLE guarded PASSWORD '{SECRET}'")
        scene.postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'")
        try:
            found = dependencies()["database"]
        finally:
            scene.postgres.execute("ALTER ROLE guarded PASSWORD 'right'")
        assert (found["state"], "the password of MLMINI_DATABASE_URL" in found["hint"]) == ("down", True)


def test_a_bucket_that_was_deleted_is_told_by_a_running_api(scene: Scene, well: Settings) -> None:
    update = {"store": "s3", "s3_endpoint_url": scene.s3.endpoint_url, "datasets_bucket": "deleted-later"}
    keys = {"s3_access_key": SecretStr(scene.s3.access_key), "s3_secret_key": SecretStr(scene.s3.secret_key)}
    settings = well.model_copy(update=update | keys)
    with asked(settings) as dependencies:
        assert dependencies()["object_store"]["state"] == "ok"
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=scene.s3.endpoint_url,
            region_name=settings.s3_region,
            aws_access_key_id=scene.s3.access_key,
            aws_secret_access_key=scene.s3.secret_key,
        )
        client.delete_bucket(Bucket="deleted-later")
        client.close()
        found = dependencies()["object_store"]
        assert found["state"] == "down"
        assert "no bucket 'deleted-later'. Create it, as `python -m cli.launcher.prepare` does" in found["hint"]


def test_a_folder_that_cannot_be_written_any_more_is_told_by_a_running_api(well: Settings) -> None:
    with asked(well) as dependencies:
        well.scratch.rename(well.home / "away")
        well.scratch.touch()
        found = dependencies()["home"]
        assert found["state"] == "degraded"
        assert found["hint"].startswith("MLMINI_HOME: its folder cannot be used")
        assert "move it away" in found["hint"]


def revise(database: Database, revision: str) -> None:
    """Note another revision in the database."""
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def run_alembic(database: Database, act: str, *arguments: str) -> None:
    """One of alembic's commands."""
    with database.engine.connect() as connection:
        getattr(command, act)(configuration(connection), *arguments)
        connection.commit()
