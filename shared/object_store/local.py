"""Objects as files of a directory."""

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from shared.errors import StoreUnavailable
from shared.home import hint, make_private, reason
from shared.object_store.contract import (
    DigestMismatch,
    ObjectEntry,
    ObjectExists,
    ObjectInfo,
    ObjectMissing,
    check_bucket,
    check_key,
    check_prefix,
    check_range,
)
from shared.object_store.durable import (
    durable_file,
    link_new,
    remove_stale,
    sync_folder,
    unlink_locked,
)
from shared.object_store.places import entries_of, folder_of
from shared.regular_file import NotRegular, open_regular

_CHUNK_BYTES = 2**20
_STALE = timedelta(days=1)  # Longer than any file takes to be stored.
# What is not a regular file is not an object: to open a fifo would block, and a link could lead out of the store.
_NOT_THERE = (FileNotFoundError, NotADirectoryError, NotRegular)


_UNFINISHED = ".unfinished"  # No bucket begins with a dot.


def is_prepared(root: Path) -> bool:
    """Whether a platform has started on the folder of a store; one that a backup was copied to has to be prepared."""
    return (root / _UNFINISHED).is_dir()


class LocalStore:
    """One folder per bucket below `root`; regular files are objects and nothing else is kept there.

    No digests are kept beside the files, so `stat` reads the whole object: its answer is about the bytes that are
    there now, and nothing can get out of step.
    """

    def __init__(self, root: Path, *, buckets: tuple[str, ...]) -> None:
        self._root = root
        self._buckets = buckets
        self._unfinished = root / _UNFINISHED

    def put_new(self, bucket: str, key: str, source: Path, *, sha256: str, final: bool = False) -> None:
        """See ObjectStore."""
        target = self._path(bucket, key)
        path = self._unfinished / uuid4().hex
        with _vendor_errors(), durable_file(source, path, final=final) as digest:
            if digest != sha256:
                raise DigestMismatch(f"the bytes for '{key}' do not have the digest that was given")
            try:
                with folder_of(self._bucket(bucket), key, make=True) as place:
                    link_new(path, place)
            except (FileExistsError, NotADirectoryError):
                raise ObjectExists(key) from None
            for folder in (target.parent, *target.parent.parents):
                # Up to the bucket: another process may have just made one of them.
                if folder == self._root:
                    break
                sync_folder(folder)

    @contextmanager
    def open(self, bucket: str, key: str, *, start: int = 0, end: int | None = None) -> Iterator[BinaryIO]:
        """See ObjectStore."""
        check_range(start, end)
        with self._opened(bucket, key) as file:
            file.seek(start)
            with io.BufferedReader(_Range(file, None if end is None else end - start), _CHUNK_BYTES) as reader:
                yield reader

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """See ObjectStore."""
        with self._opened(bucket, key) as file, _vendor_errors():
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            state = os.fstat(file.fileno())
        return ObjectInfo(key=key, size=state.st_size, modified=_modified(state), sha256=digest)

    def delete(self, bucket: str, key: str) -> None:
        """See ObjectStore."""
        self._delete(bucket, key, lambda _state: True)

    def delete_listed(self, bucket: str, entry: ObjectEntry, *, by: float) -> bool:
        """See ObjectStore. The file's lock guarantees it, so `by` is not needed."""
        del by
        listed = (entry.size, entry.modified)
        return self._delete(bucket, entry.key, lambda state: (state.st_size, _modified(state)) == listed)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectEntry]:
        """See ObjectStore."""
        check_prefix(prefix)
        folder, slash, start = prefix.rpartition("/")
        return _walk(self._bucket(bucket), folder + slash, start)

    def check(self) -> None:
        """See ObjectStore."""
        probe = self._unfinished / f"check-{uuid4().hex}"
        for bucket in self._buckets:
            self._bucket(bucket)
        with _vendor_errors():
            probe.write_bytes(b"x")
            probe.unlink()

    def prepare(self) -> None:
        """See ObjectStore."""
        with _vendor_errors():
            for bucket in self._buckets:
                make_private(self._root / bucket)
            make_private(self._unfinished)
            remove_stale(self._unfinished, before=self.now() - _STALE)

    def now(self) -> datetime:
        """See ObjectStore. The files may be on another machine, so a fresh one tells the time."""
        if not is_prepared(self._root):
            return datetime.now(UTC)  # Nobody has written here since a backup was copied to it.
        probe = self._unfinished / f"clock-{uuid4().hex}"
        with _vendor_errors():
            with probe.open("xb") as file:
                state = os.fstat(file.fileno())
            probe.unlink(missing_ok=True)
        return _modified(state)

    def abort_stale(self, *, older_than_seconds: float, is_ours: Callable[[str, str], bool]) -> int:
        """See ObjectStore. No other program has a reason to write where the unfinished is."""
        del is_ours
        before = self.now() - timedelta(seconds=older_than_seconds)
        with _vendor_errors():
            return remove_stale(self._unfinished, before=before)

    def close(self) -> None:
        """See ObjectStore."""

    def _delete(self, bucket: str, key: str, is_the_one: Callable[[os.stat_result], bool]) -> bool:
        path = self._path(bucket, key)
        with _vendor_errors():
            try:
                with folder_of(self._bucket(bucket), key) as place:
                    deleted = unlink_locked(place, is_the_one)
            except _NOT_THERE:
                return False
            sync_folder(path.parent)
        return deleted

    @contextmanager
    def _opened(self, bucket: str, key: str) -> Iterator[io.FileIO]:
        check_key(key)
        with _vendor_errors():
            try:
                with folder_of(self._bucket(bucket), key) as (folder, name):
                    file = io.FileIO(open_regular(name, dir_fd=folder))
            except _NOT_THERE:
                raise ObjectMissing(key) from None
        with file:
            yield file

    def _path(self, bucket: str, key: str) -> Path:
        check_key(key)
        return self._bucket(bucket) / key

    def _bucket(self, bucket: str) -> Path:
        check_bucket(bucket)
        folder = self._root / bucket
        with _vendor_errors():
            try:
                # Unlike `is_dir`, this raises when a parent is a file.
                there = stat.S_ISDIR(folder.stat().st_mode)
            except FileNotFoundError:
                there = False
        if not there:
            raise StoreUnavailable(
                f"The object store has no folder '{bucket}'. Check that the disk with MLMINI_HOME is mounted; "
                "a restart makes missing folders."
            )
        return folder


class _Range(io.RawIOBase):
    """At most `size` bytes of an open file, with its errors turned into ours."""

    def __init__(self, file: io.FileIO, size: int | None) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        wanted = len(buffer) if self._left is None else min(len(buffer), self._left)
        with _vendor_errors():
            data = self._file.read(wanted)
        buffer[: len(data)] = data
        if self._left is not None:
            self._left -= len(data)
        return len(data)


def _walk(bucket: Path, folder: str, start: str) -> Iterator[ObjectEntry]:
    """The objects in and below `folder` (which ends in a slash); directly in it only those that begin with `start`."""
    with _vendor_errors():
        try:
            entries = entries_of(bucket, folder)
        except _NOT_THERE:
            return
    for entry in entries:
        if not entry.name.startswith(start):
            continue
        if entry.is_folder:
            yield from _walk(bucket, f"{folder}{entry.name}/", "")
        else:
            yield ObjectEntry(key=folder + entry.name, size=entry.state.st_size, modified=_modified(entry.state))


def _modified(state: os.stat_result) -> datetime:
    return datetime.fromtimestamp(state.st_mtime, UTC)


@contextmanager
def _vendor_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"The folder of the object store below MLMINI_HOME cannot be used: {reason(error)}. {hint(error)}"
        ) from error
