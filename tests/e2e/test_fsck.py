"""`mlmini fsck` as a process, beside a platform that runs, after its end, and where it cannot look."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_operations import trained
from tests.support.command_line import WIDTH, CommandLine
from tests.support.launcher import Launcher, launched

BY_DIGESTS = "Digests are those that the store reports; --deep reads every object."
ARTIFACT = "iris_model_dev_v1.pkl"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A platform with one model."""
    with launched(tmp_path_factory.mktemp("platform") / "home", {"MLMINI_EXAMPLES": "0"}) as launcher:
        with launcher.client() as client:
            trained(client)
        yield launcher


@pytest.fixture
def mlmini(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_beside_a_platform_that_runs_nothing_differs(platform: Launcher, mlmini: CommandLine) -> None:
    shown = mlmini.succeed("fsck", MLMINI_HOME=str(platform.home))
    assert (shown.out, shown.err) == (f"Nothing differs. {BY_DIGESTS}\n", "")
    document = mlmini.succeed("fsck", "--deep", "--json", MLMINI_HOME=str(platform.home)).document
    assert document == {"ok": True, "deep": True, "differences": []}


def test_what_differs_is_shown_with_what_mends_it(platform: Launcher, mlmini: CommandLine) -> None:
    models = platform.home / "store" / "trained-models"
    (models / ARTIFACT).rename(models / "away.txt")
    try:
        ended = mlmini.run("fsck", MLMINI_HOME=str(platform.home))
        document = mlmini.run("fsck", "--json", MLMINI_HOME=str(platform.home)).document
        _, drawn = mlmini.at_terminal("fsck", MLMINI_HOME=str(platform.home))
    finally:
        (models / "away.txt").rename(models / ARTIFACT)
    assert ended.status == 1
    assert f"object_missing  trained-models/{ARTIFACT}" in ended.out
    assert "Bring the object back from a backup of the bucket" in ended.out
    assert "object_foreign  trained-models/away.txt" in ended.out
    assert ended.out.endswith("Found 1 difference.\n")
    assert [(each["kind"], each["level"]) for each in document["differences"]] == [
        ("object_missing", "differs"),
        ("object_foreign", "note"),
    ]
    assert not document["ok"]
    assert max(map(len, drawn.splitlines())) < 2 * WIDTH


def test_a_foreign_object_alone_is_no_difference(platform: Launcher, mlmini: CommandLine) -> None:
    foreign = platform.home / "store" / "datasets" / "notes.txt"
    foreign.touch()
    shown = mlmini.succeed("fsck", MLMINI_HOME=str(platform.home)).out
    foreign.unlink()
    assert "Notes: nothing has to be done" in shown
    assert shown.endswith(f"Nothing differs. {BY_DIGESTS}\n")


def test_it_looks_at_what_a_stopped_platform_keeps(platform: Launcher, mlmini: CommandLine) -> None:
    platform.stop()
    before = {path: path.read_bytes() for path in platform.home.rglob("*") if path.is_file()}
    deep = mlmini.succeed("fsck", "--deep", MLMINI_HOME=str(platform.home))
    assert deep.out == "Nothing differs. Every object was read.\n"
    after = {path: path.read_bytes() for path in platform.home.rglob("*") if path.is_file()}
    assert {path for path in before | after if before.get(path) != after.get(path)} <= {
        platform.home / f"ml_registry.db-{kind}" for kind in ("wal", "shm")
    }
    database = platform.home / "ml_registry.db"
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM job_events WHERE seq = 2")
    connection.close()
    ended = mlmini.run("fsck", MLMINI_HOME=str(platform.home))
    assert ended.status == 1
    assert "path_illegal" in ended.out
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(bytes(content))
    for name in ("wal", "shm"):
        database.with_name(f"{database.name}-{name}").unlink(missing_ok=True)
    ended = mlmini.run("fsck", MLMINI_HOME=str(platform.home))
    assert ended.status in {1, 2}
    assert "from a backup" in ended.out + ended.err


def test_where_it_cannot_look_it_says_why(mlmini: CommandLine, tmp_path: Path) -> None:
    ended = mlmini.run("fsck", MLMINI_STORE="ftp")
    assert (ended.status, ended.out) == (2, "")
    assert "MLMINI_STORE" in ended.err
    ended = mlmini.run("fsck", MLMINI_HOME=str(tmp_path / "none"))
    assert (ended.status, ended.out) == (3, "")
    assert f"No platform was started on {tmp_path / 'none'} yet" in ended.err
    assert not (tmp_path / "none").exists()
    sqlite3.connect(tmp_path / "ml_registry.db").close()
    ended = mlmini.run("fsck", MLMINI_HOME=str(tmp_path))
    assert ended.status == 2
    assert "has no tables yet" in ended.err
