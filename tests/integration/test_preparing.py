"""Preparing while parts of the platform still start, as it is done by the init service of the containers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Valkey
from tests.support.waiting import eventually


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


def test_when_the_time_is_over_the_last_line_says_what_is_wrong(tmp_path: Path, late_redis: Valkey) -> None:
    process = prepare(tmp_path / "home", late_redis, wait=1)
    assert process.wait(timeout=30) == 2
    *_, last = (tmp_path / "said").read_text().splitlines()
    assert "MLMINI_REDIS_URL" in last
    assert "Waiting" not in last
