"""What can happen to a directory, and only to a directory."""

import contextlib
import errno
import fcntl
import hashlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.errors import StoreUnavailable
from shared.object_store import ObjectEntry, ObjectExists, ObjectMissing, ObjectStore, open_store
from shared.registry.sealing import load_artifact_key
from shared.settings import Settings
from tests.support.full_disk import largest_file
from tests.support.objects import put, read, sha256_of, some_bytes
from tests.support.waiting import eventually

MIB = 2**20
BUCKET = "datasets"


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    store = open_store(settings)
    store.prepare()
    return store


@pytest.fixture
def root(settings: Settings) -> Path:
    return settings.home / "store"


def test_an_object_is_a_plain_file_below_home(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    put(store, BUCKET, "iris/1.csv", b"a,b", folder=tmp_path)
    assert (root / BUCKET / "iris" / "1.csv").read_bytes() == b"a,b"


def test_nothing_but_the_object_is_left_after_a_put(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    put(store, BUCKET, "key", b"data", folder=tmp_path)
    with pytest.raises(ObjectExists):
        put(store, BUCKET, "key", b"other", folder=tmp_path)
    assert [path.relative_to(root) for path in root.rglob("*") if path.is_file()] == [Path(BUCKET, "key")]


def test_a_final_file_becomes_the_object_without_a_copy(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"data")
    os.utime(source, (0, 0))
    began = time.time()
    store.put_new(BUCKET, "key", source, sha256=sha256_of(b"data"), final=True)
    assert source.samefile(root / BUCKET / "key")
    assert (root / BUCKET / "key").stat().st_mtime >= began - 1
    assert list((root / ".unfinished").iterdir()) == []
    source.unlink()
    assert read(store, BUCKET, "key") == b"data"


def test_a_final_file_is_never_stale_however_old_it_is(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, removed = os.link, []

    def seen_by_a_janitor(*args: Any, **kwargs: Any) -> None:
        link(*args, **kwargs)
        removed.append(store.abort_stale(older_than_seconds=1, is_ours=lambda *_: True))

    monkeypatch.setattr(os, "link", seen_by_a_janitor)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    os.utime(source, (0, 0))
    store.put_new(BUCKET, "key", source, sha256=sha256_of(b"data"), final=True)
    assert removed == [0, 0]
    assert read(store, BUCKET, "key") == b"data"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_a_final_file_that_cannot_have_another_name_is_copied(
    store: ObjectStore, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    link = os.link

    def within_the_store(source: Path, *args: Any, **kwargs: Any) -> None:
        if root not in source.parents:
            raise OSError(code, os.strerror(code))
        link(source, *args, **kwargs)

    monkeypatch.setattr(os, "link", within_the_store)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    store.put_new(BUCKET, "key", source, sha256=sha256_of(b"data"), final=True)
    assert not source.samefile(root / BUCKET / "key")
    assert read(store, BUCKET, "key") == b"data"


def test_the_digest_of_a_changed_file_tells(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    digest = put(store, BUCKET, "key", b"data", folder=tmp_path)
    (root / BUCKET / "key").write_bytes(b"dAta")
    assert store.stat(BUCKET, "key").sha256 != digest


def test_an_object_is_never_a_folder_too(store: ObjectStore, tmp_path: Path) -> None:
    put(store, BUCKET, "iris/1.csv", b"data", folder=tmp_path)
    for key in ("iris", "iris/1.csv/below"):
        with pytest.raises(ObjectExists):
            put(store, BUCKET, key, b"data", folder=tmp_path)


def test_a_file_that_finds_no_room_leaves_nothing(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(some_bytes(4 * MIB))
    with largest_file(2 * MIB), pytest.raises(StoreUnavailable, match="no room left on its disk: free some space"):
        store.put_new(BUCKET, "key", source, sha256="0" * 64)
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_disk_that_is_full_when_it_is_synced_leaves_nothing(
    store: ObjectStore, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="no room left"):
        put(store, BUCKET, "key", b"data", folder=tmp_path)
    assert [path for path in root.rglob("*") if path.is_file()] == []


@contextmanager
def _without_rights_to(folder: Path) -> Iterator[None]:
    folder.chmod(0o500)
    owner = os.geteuid()
    try:
        if owner == 0:  # Root may write everywhere.
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(owner)
        folder.chmod(0o700)


def test_a_folder_without_write_access_says_how_to_mend_it(store: ObjectStore, root: Path) -> None:
    with (
        _without_rights_to(root / ".unfinished"),
        pytest.raises(StoreUnavailable, match="has to belong to the user") as caught,
    ):
        store.check()
    assert str(root) not in caught.value.detail


def test_a_store_that_is_gone_is_unavailable_and_can_be_made_again(
    store: ObjectStore, root: Path, tmp_path: Path
) -> None:
    put(store, BUCKET, "key", b"data", folder=tmp_path)
    root.rename(tmp_path / "unmounted")
    with pytest.raises(StoreUnavailable, match="MLMINI_HOME is mounted"):
        store.check()
    with pytest.raises(StoreUnavailable):
        store.stat(BUCKET, "key")
    (tmp_path / "unmounted").rename(root)
    assert read(store, BUCKET, "key") == b"data"


def test_what_a_killed_process_left_is_removed_after_a_day(store: ObjectStore, root: Path, tmp_path: Path) -> None:
    stale, recent = root / ".unfinished" / "stale", root / ".unfinished" / "recent"
    for path in (stale, recent):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))
    store.prepare()
    assert recent.exists()
    assert not stale.exists()


def test_a_put_killed_half_way_shows_nothing(
    store: ObjectStore, settings: Settings, root: Path, tmp_path: Path
) -> None:
    # The source is a pipe that stays open, so the child certainly is in the middle when it is killed.
    source = tmp_path / "pipe"
    os.mkfifo(source)
    child = os.fork()
    if child == 0:
        store.put_new(BUCKET, "key", source, sha256="0" * 64)
        os._exit(0)
    with source.open("wb") as pipe:
        pipe.write(some_bytes(3 * MIB))
        pipe.flush()
        unfinished = root / ".unfinished"
        eventually(lambda: any(path.stat().st_size >= MIB for path in unfinished.iterdir()))
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert list(store.list(BUCKET)) == []
    put(store, BUCKET, "key", b"data", folder=tmp_path)
    assert read(store, BUCKET, "key") == b"data"


def test_a_file_that_somebody_is_still_writing_is_never_stale(settings: Settings, tmp_path: Path) -> None:
    store = open_store(settings)
    store.prepare()
    source = tmp_path / "fifo"
    os.mkfifo(source)
    content = b"slow" * 1000

    def put() -> None:
        store.put_new(settings.models_bucket, "slow.pkl", source, sha256=hashlib.sha256(content).hexdigest())

    writer = threading.Thread(target=put)
    writer.start()
    with source.open("wb") as end:
        end.write(content[:1000])
        end.flush()
        unfinished = settings.home / "store" / ".unfinished"
        eventually(lambda: any(_is_locked(path) for path in unfinished.iterdir()))
        assert store.abort_stale(older_than_seconds=-60, is_ours=lambda _bucket, _key: True) == 0
        end.write(content[1000:])
    writer.join()
    assert store.stat(settings.models_bucket, "slow.pkl").size == len(content)
    store.close()


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def _dangling(path: Path, secret: Path) -> None:
    path.symlink_to(secret.with_name("nothing"))


def _fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, _: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(path.parent):
        bound.bind(path.name)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside the store, alone in its folder."""
    (tmp_path / "outside").mkdir()
    path = tmp_path / "outside" / "secret"
    path.write_bytes(b"secret")
    return path


@pytest.mark.parametrize("plant", [_link, _dangling, _fifo, _socket])
def test_what_is_no_regular_file_is_no_object(
    store: ObjectStore, root: Path, tmp_path: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    path = root / BUCKET / "key"
    plant(path, secret)
    before = path.lstat()
    for act in (store.stat, lambda bucket, key: read(store, bucket, key)):
        with pytest.raises(ObjectMissing):
            act(BUCKET, "key")
    assert list(store.list(BUCKET)) == []
    store.delete(BUCKET, "key")
    entry = ObjectEntry("key", before.st_size, datetime.fromtimestamp(before.st_mtime, UTC))
    assert not store.delete_listed(BUCKET, entry, by=0)
    with pytest.raises(ObjectExists):
        put(store, BUCKET, "key", b"data", folder=tmp_path)
    assert path.lstat().st_ino == before.st_ino
    assert secret.read_bytes() == b"secret"


def test_a_link_to_a_folder_leads_nowhere(store: ObjectStore, root: Path, tmp_path: Path, secret: Path) -> None:
    (root / BUCKET / "linked").symlink_to(secret.parent)
    with pytest.raises(ObjectMissing):
        read(store, BUCKET, "linked/secret")
    assert list(store.list(BUCKET)) == list(store.list(BUCKET, "linked/")) == []
    store.delete(BUCKET, "linked/secret")
    for key in ("linked/new", "linked/below/new"):
        with pytest.raises(ObjectExists):
            put(store, BUCKET, key, b"data", folder=tmp_path)
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("plant", [_link, _dangling, _fifo, _socket])
def test_what_is_no_regular_file_among_the_unfinished_is_left_alone(
    store: ObjectStore, root: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    path = root / ".unfinished" / "planted"
    plant(path, secret)
    os.utime(path, (0, 0), follow_symlinks=False)
    store.prepare()
    assert store.abort_stale(older_than_seconds=1, is_ours=lambda *_: True) == 0
    assert path.lstat()


@pytest.mark.parametrize("final", [False, True])
def test_whatever_the_umask_objects_and_folders_are_for_their_owner_alone(
    store: ObjectStore, root: Path, tmp_path: Path, *, final: bool
) -> None:
    source = tmp_path / "source"
    before = os.umask(0)
    try:
        source.write_bytes(b"data")
        store.put_new(BUCKET, "iris/1.csv", source, sha256=sha256_of(b"data"), final=final)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((root / BUCKET / name).stat().st_mode) for name in ("iris", "iris/1.csv")] == [0o700, 0o600]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of the folders that were written through to the disk."""
    found: set[int] = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        state = os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            found.add(state.st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_the_names_of_new_and_of_deleted_objects_survive_a_power_cut(
    store: ObjectStore, root: Path, tmp_path: Path, synced: set[int]
) -> None:
    put(store, BUCKET, "iris/a/1.csv", b"data", folder=tmp_path)
    # Each of the folders may be new, and then its own name is in the one above.
    folders = [root / BUCKET / "iris" / "a", root / BUCKET / "iris", root / BUCKET]
    assert synced >= {folder.stat().st_ino for folder in folders}
    synced.clear()
    store.delete(BUCKET, "iris/a/1.csv")
    assert synced == {folders[0].stat().st_ino}


def test_the_name_of_a_new_key_survives_a_power_cut(settings: Settings, synced: set[int]) -> None:
    load_artifact_key(settings)
    assert synced == {settings.home.stat().st_ino}
