"""Preparing while parts of the platform still start, as it is done by the init service of the containers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bad_luck import ROWS, Scene, environment_of
from tests.support.processes import run
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


def prepare(home: Path, redis: Valkey, *, wait: int) -> subprocess.Popen[bytes]:
    variables = {"MLMINI_HOME": str(home), "MLMINI_REDIS_URL": redis.url}
    with home.with_name("said").open("wb") as said:
        command = [sys.executable, "-m", "cli.prepare", "--wait", str(wait)]
        return subprocess.Popen(command, env=os.environ | variables, stderr=said)


def test_it_waits_for_a_part_that_starts_late_and_says_so_once(tmp_path: Path, late_redis: Valkey) -> None:
    process = prepare(tmp_path / "home", late_redis, wait=60)
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
        command = [sys.executable, "-m", "cli.prepare", "--wait", "60"]
        process = subprocess.Popen(command, env=os.environ | variables, stderr=file)
    eventually(lambda: "Waiting: MLMINI_DATABASE_URL: " in said.read_text(), timeout=30)
    late_postgres.start()
    assert process.wait(timeout=60) == 0, said.read_text()


@pytest.mark.parametrize("name", HOPELESS)
def test_what_no_waiting_mends_ends_at_once(scene: Scene, name: str) -> None:
    variables = {"MLMINI_REDIS_URL": scene.redis_url} | environment_of(ROWS[name], scene)
    answer = run("cli.prepare", "--wait", "600", variables=variables)
    assert answer.returncode == 2
    assert ROWS[name].says in answer.stderr
    assert "Waiting" not in answer.stderr


def test_when_the_time_is_over_the_last_line_says_what_is_wrong(tmp_path: Path, late_redis: Valkey) -> None:
    process = prepare(tmp_path / "home", late_redis, wait=1)
    assert process.wait(timeout=30) == 3
    *_, last = (tmp_path / "said").read_text().splitlines()
    assert "MLMINI_REDIS_URL" in last
    assert "Waiting" not in last
