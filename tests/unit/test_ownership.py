"""Files and folders that other users could change: each is found, with how to fix it."""

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.database_file import protect_database, weakness_of_database
from shared.errors import WrongSettings
from shared.home import prepare_home
from shared.ownership import weakness, weakness_on_the_way
from shared.registry.sealing import KEY_FILE, load_artifact_key
from shared.settings import Settings

OTHER = 4242


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder in which all is well."""
    folder = tmp_path / "above" / "home"
    prepare_home(folder)
    load_artifact_key(Settings(home=folder))
    for name in ("store/trained-models", "scratch"):
        (folder / name).mkdir(parents=True, mode=0o700)
    (folder / "ml_registry.db").touch(mode=0o600)
    return folder


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a file that of another user; who may not do that becomes another user to what looks at it."""

    def give(path: Path) -> None:
        if os.getuid() == 0:
            os.chown(path, OTHER, OTHER)
        else:
            monkeypatch.setattr(os, "getuid", lambda: OTHER)

    return give


def members(monkeypatch: pytest.MonkeyPatch, *, named: list[str], primary: list[int]) -> None:
    """Decide who is in whatever group is asked for."""
    users = [SimpleNamespace(pw_uid=user, pw_gid=os.getgid()) for user in primary]
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_mem=named))
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    monkeypatch.setattr(pwd, "getpwnam", lambda _: SimpleNamespace(pw_uid=OTHER))


@pytest.mark.asvs("14.2.4", "16.4.2")
def test_what_is_made_for_a_home_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        prepare_home(tmp_path / "a" / "b" / "home")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/home")]
    assert modes == [0o700] * 3


@pytest.mark.parametrize(
    "name", [".", "..", "store", "store/trained-models", "scratch", "ml_registry.db", KEY_FILE], ids=str
)
@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_a_home_that_others_can_write_is_refused_with_the_hint(home: Path, name: str, mode: int) -> None:
    path = (home / name).resolve()
    path.chmod(mode)
    with pytest.raises(WrongSettings, match=rf"chmod go-w {path}`\. .*run their code"):
        prepare_home(home)
    path.chmod(0o700)
    prepare_home(home)


@pytest.mark.parametrize("name", [".", "..", "store", "store/trained-models", "scratch", "ml_registry.db", KEY_FILE])
def test_a_home_that_belongs_to_others_is_refused_with_the_hint(
    home: Path, name: str, give_away: Callable[[Path], None]
) -> None:
    path = (home / name).resolve()
    give_away(path)
    with pytest.raises(WrongSettings, match=r"belongs to the user with the id .* Run `chown"):
        prepare_home(home)


def test_a_folder_that_others_can_write_is_fine_on_the_way_if_it_has_the_sticky_bit(home: Path) -> None:
    home.parent.chmod(0o1777)
    prepare_home(home)
    # Inside, others could make what is not there yet, such as a key.
    home.chmod(0o1777)
    with pytest.raises(WrongSettings, match="can be written by other users"):
        prepare_home(home)


def test_the_way_to_a_link_counts_as_that_to_what_it_points_to(home: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "home").symlink_to(home)
    assert weakness_on_the_way(links / "home") is None
    links.chmod(0o777)
    found = weakness_on_the_way(links / "home")
    assert found is not None
    assert str(links) in found
    links.chmod(0o755)
    home.parent.chmod(0o777)
    assert weakness_on_the_way(links / "home") is not None


@pytest.mark.parametrize(
    ("named", "primary", "fine"),
    [([], [], True), ([], [os.getuid()], True), (["somebody"], [], False), ([], [OTHER], False)],
    ids=["nobody", "the owner", "a member", "another user's own"],
)
def test_a_group_may_write_if_nobody_else_is_in_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, named: list[str], primary: list[int], fine: bool
) -> None:
    members(monkeypatch, named=named, primary=primary)
    home.parent.chmod(0o775)
    assert (weakness_on_the_way(home) is None) is fine


def test_a_file_of_root_is_fine_for_everybody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.getuid() == 0:
        monkeypatch.setattr(os, "getuid", lambda: OTHER)
    assert weakness(Path("/")) is None
    assert weakness_on_the_way(Path("/usr/bin")) is None


@pytest.mark.asvs("13.3.2")
@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_key_that_others_can_read_or_write_is_refused_with_the_hint(home: Path, mode: int) -> None:
    (home / KEY_FILE).chmod(mode)
    with pytest.raises(WrongSettings, match=f"chmod (600|go-w) {home / KEY_FILE}`"):
        load_artifact_key(Settings(home=home))


def test_a_key_that_a_group_can_read_is_refused_if_others_are_in_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / KEY_FILE).chmod(0o640)
    members(monkeypatch, named=["somebody"], primary=[])
    with pytest.raises(WrongSettings, match="can be read by other users"):
        load_artifact_key(Settings(home=home))
    members(monkeypatch, named=[], primary=[])
    load_artifact_key(Settings(home=home))


def test_a_database_that_others_can_read_is_made_private(home: Path) -> None:
    for name in ("ml_registry.db", "ml_registry.db-wal"):
        (home / name).touch()
        (home / name).chmod(0o644)
    protect_database(Settings(home=home))
    assert [(home / name).stat().st_mode & 0o777 for name in ("ml_registry.db", "ml_registry.db-wal")] == [0o600] * 2


def test_a_database_elsewhere_is_looked_at_like_one_in_the_home(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = Settings.model_validate({"home": home, "database_url": f"sqlite:///{elsewhere}/x.db"})
    assert weakness_of_database(settings) is None
    (elsewhere / "x.db").touch()
    protect_database(settings)
    elsewhere.chmod(0o777)
    with pytest.raises(WrongSettings, match=f"chmod go-w {elsewhere}"):
        protect_database(settings)
    elsewhere.chmod(0o755)
    (elsewhere / "x.db").chmod(0o666)
    with pytest.raises(WrongSettings, match=f"chmod go-w {elsewhere}/x.db"):
        protect_database(settings)
    (elsewhere / "x.db").chmod(0o600)
    for ending in ("-wal", "-shm", "-journal"):
        beside = elsewhere / f"x.db{ending}"
        beside.touch()
        beside.chmod(0o666)
        with pytest.raises(WrongSettings, match=f"chmod go-w {beside}"):
            protect_database(settings)
        beside.unlink()
