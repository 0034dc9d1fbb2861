"""Files of the home folder are opened as regular ones: nothing else with their name holds anybody up or is followed."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.launcher.errors import StartFailed
from cli.launcher.home_lock import LOCK_NAME, claimed
from cli.launcher.published import NAME, publish, published
from shared.database import Database
from shared.database_file import protect_database
from shared.errors import WrongSettings
from shared.migration import upgrade
from shared.registry.sealing import KEY_FILE, load_artifact_key
from shared.regular_file import NotRegular, open_regular
from shared.scratch import Scratch
from shared.settings import Settings


def _link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def _dangling(path: Path, target: Path) -> None:
    path.symlink_to(target.with_name("nothing"))


def _fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, _: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(path.parent):
        bound.bind(path.name)


def _folder(path: Path, _: Path) -> None:
    path.mkdir()


Plant = Callable[[Path, Path], None]
planted = pytest.mark.parametrize("plant", [_link, _dangling, _fifo, _socket, _folder])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file elsewhere, which must stay as it is."""
    path = tmp_path / "target"
    path.write_text("kept")
    return path


@planted
@pytest.mark.parametrize(
    "flags", [os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC]
)
def test_only_a_regular_file_is_opened(home: Path, target: Path, plant: Plant, flags: int) -> None:
    plant(home / "file", target)
    with pytest.raises(NotRegular):
        open_regular(home / "file", flags)
    assert target.read_text() == "kept"
    assert not target.with_name("nothing").exists()


def test_a_regular_file_is_opened_and_made_for_its_owner_alone(home: Path) -> None:
    os.close(open_regular(home / "file", os.O_RDWR | os.O_CREAT))
    os.close(open_regular(home / "file"))
    assert (home / "file").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileNotFoundError):
        open_regular(home / "nothing")


@planted
def test_the_key_is_a_regular_file(home: Path, target: Path, plant: Plant) -> None:
    plant(home / KEY_FILE, target)
    with pytest.raises(WrongSettings, match="not a regular file"):
        load_artifact_key(Settings(home=home))


@pytest.mark.parametrize("plant", [_link, _dangling, _fifo, _socket])
def test_the_database_is_a_regular_file(home: Path, target: Path, plant: Plant) -> None:
    plant(home / "ml_registry.db", target)
    with pytest.raises(WrongSettings, match="not a regular file"):
        protect_database(Settings(home=home))


@planted
def test_the_lock_of_migrations_is_a_regular_file(home: Path, target: Path, plant: Plant) -> None:
    plant(home / "ml_registry.db.migration-lock", target)
    database = Database(Settings(home=home).sqlalchemy_url)
    with pytest.raises(WrongSettings, match="not a regular file"):
        upgrade(database)
    database.close()


@planted
def test_the_lock_of_the_launcher_is_a_regular_file(home: Path, target: Path, plant: Plant) -> None:
    plant(home / LOCK_NAME, target)
    with pytest.raises((WrongSettings, StartFailed), match="not a regular file"), claimed(home):
        pass
    assert target.read_text() == "kept"


@planted
def test_published_addresses_are_a_regular_file(home: Path, target: Path, plant: Plant) -> None:
    plant(home / NAME, target)
    assert published(home) == {}
    plant(home / f"{NAME}.new", target)
    with pytest.raises(NotRegular):
        publish(home, {"api": "http://127.0.0.1:1"})
    assert target.read_text() == "kept"


@planted
def test_the_locks_of_scratch_are_regular_files(home: Path, target: Path, plant: Plant) -> None:
    dead = home / "process-dead"
    dead.mkdir()
    plant(dead / "owner.lock", target)
    scratch = Scratch(home)
    assert not dead.exists()
    scratch.close()
    (home / ".lock").unlink()
    plant(home / ".lock", target)
    with pytest.raises(NotRegular):
        Scratch(home)
    assert target.read_text() == "kept"
