"""Preparing, as the launcher and the init service of the containers do it: parts that still start, and a store that is
another one than before."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.launcher.prepare import prepare
from shared.database import Database
from shared.errors import WrongSettings
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.bad_luck import ROWS, Scene, environment_of
from tests.support.buckets import Buckets
from tests.support.objects import put
from tests.support.processes import ROOT, Program, launch, run
from tests.support.registry import insert_dataset
from tests.support.servers import PostgreSQL, Valkey
from tests.support.waiting import eventually

HOPELESS = [
    "the database URL is none",
    "the database's password is wrong",
    "the schema is newer",
    "the database is another program's",
    "the artifact key is damaged",
    "the Redis URL is none",
    "the Redis password is wrong",
]


@pytest.fixture
def late_postgres() -> Iterator[PostgreSQL]:
    """A server that is not started yet."""
    server = PostgreSQL()
    yield server
    server.remove()


@pytest.fixture
def late_redis() -> Iterator[Valkey]:
    """A server that is not started yet."""
    server = Valkey()
    yield server
    server.remove()


def preparing(home: Path, redis: Valkey, *, wait: int) -> Program:
    variables = {"MLMINI_HOME": str(home), "MLMINI_REDIS_URL": redis.url}
    with home.with_name("said").open("wb") as said:
        return launch(["cli.launcher.prepare", "--wait", str(wait)], env=os.environ | variables, cwd=ROOT, output=said)


def test_it_waits_for_a_part_that_starts_late_and_says_so_once(tmp_path: Path, late_redis: Valkey) -> None:
    process = preparing(tmp_path / "home", late_redis, wait=60)
    said = tmp_path / "said"
    eventually(lambda: "Waiting: " in said.read_text(), timeout=30)
    late_redis.start()
    assert process.wait(timeout=30) == 0
    assert said.read_text().count("Waiting: ") == 1
    assert (tmp_path / "home" / "artifact.key").exists()


def test_it_waits_for_a_database_that_starts_late(scene: Scene, late_postgres: PostgreSQL) -> None:
    variables = {"MLMINI_HOME": str(scene.home), "MLMINI_REDIS_URL": scene.redis_url}
    variables["MLMINI_DATABASE_URL"] = late_postgres.url("postgres")
    said = scene.folder / "said"
    with said.open("wb") as file:
        process = launch(["cli.launcher.prepare", "--wait", "60"], env=os.environ | variables, cwd=ROOT, output=file)
    eventually(lambda: "Waiting: MLMINI_DATABASE_URL: " in said.read_text(), timeout=30)
    late_postgres.start()
    assert process.wait(timeout=60) == 0, said.read_text()


@pytest.mark.parametrize("name", HOPELESS)
def test_what_no_waiting_mends_ends_at_once(scene: Scene, name: str) -> None:
    variables = {"MLMINI_REDIS_URL": scene.redis_url} | environment_of(ROWS[name], scene)
    answer = run("cli.launcher.prepare", "--wait", "600", variables=variables)
    assert answer.returncode == 2
    assert ROWS[name].says in answer.stderr
    assert "Waiting" not in answer.stderr


def test_when_the_time_is_over_the_last_line_says_what_is_wrong(tmp_path: Path, late_redis: Valkey) -> None:
    process = preparing(tmp_path / "home", late_redis, wait=1)
    assert process.wait(timeout=30) == 3
    *_, last = (tmp_path / "said").read_text().splitlines()
    assert "MLMINI_REDIS_URL" in last
    assert "Waiting" not in last


@pytest.fixture(params=["sqlite-local", "postgresql-s3"])
def prepared(request: pytest.FixtureRequest, tmp_path: Path, valkey: Valkey) -> Iterator[Settings]:
    """A platform that was prepared and holds nothing yet."""
    home = tmp_path / "home"
    redis_url = SecretStr(valkey.url)
    if request.param == "sqlite-local":
        settings = Settings(home=home, redis_url=redis_url)
        prepare(settings)
        yield settings
        return
    url: str = request.getfixturevalue("postgres_url")
    buckets: Buckets = request.getfixturevalue("buckets")
    with buckets.lend(home) as lent:
        settings = lent.model_copy(update={"database_url": SecretStr(url), "redis_url": redis_url})
        prepare(settings)
        yield settings


def catalog_a_dataset(settings: Settings) -> None:
    database = Database(settings.sqlalchemy_url)
    with database.write() as session:
        insert_dataset(session)
    database.close()


def put_an_object(settings: Settings, bucket: str, folder: Path) -> None:
    store = open_store(settings)
    put(store, bucket, "iris/1", b"a,b\n1,2\n", folder=folder)
    store.close()


def test_a_store_that_is_another_one_than_before_is_refused(prepared: Settings) -> None:
    catalog_a_dataset(prepared)
    place = "MLMINI_HOME" if prepared.store == "local" else "MLMINI_S3_ENDPOINT_URL"
    with pytest.raises(WrongSettings, match=f"store is empty: it is not the store .* MLMINI_STORE, {place}, ") as told:
        prepare(prepared)
    assert "\n" not in told.value.detail


@pytest.mark.parametrize("bucket", ["datasets_bucket", "models_bucket"])
def test_one_object_is_enough_for_a_store_to_be_taken(prepared: Settings, tmp_path: Path, bucket: str) -> None:
    catalog_a_dataset(prepared)
    put_an_object(prepared, getattr(prepared, bucket), tmp_path)
    prepare(prepared)


def test_while_the_catalog_is_empty_an_empty_store_is_what_it_should_be(prepared: Settings) -> None:
    prepare(prepared)


def test_no_key_is_made_beside_a_store_that_is_refused(prepared: Settings) -> None:
    catalog_a_dataset(prepared)
    (prepared.home / "artifact.key").unlink()
    with pytest.raises(WrongSettings):
        prepare(prepared)
    assert not (prepared.home / "artifact.key").exists()
