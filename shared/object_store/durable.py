"""Files that are written through to the disk before they get their name."""

import errno
import fcntl
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from shared.errors import StoreUnavailable
from shared.fail_points import fail_point
from shared.hashing import chunks_of, copy_hashed
from shared.regular_file import NotRegular, open_regular

# An open folder, and the name of a file there.
Place = tuple[int, str]

# Another disk, a file of somebody else, too many names.
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK}
_TURN_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


@contextmanager
def unfinished_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for the time of the block. Its lock says that it is being written; kill -9 releases it, too."""
    with os.fdopen(open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def durable_file(source: Path, path: Path, *, final: bool) -> Iterator[str]:
    """The bytes of a file at `path`, through to the disk, for the time of the block; and their digest.

    Nothing is copied if the source is `final`, which means that nobody writes to it any more, and on the same disk.
    """
    # Some file systems over a network lock only what may be written to.
    with source.open("r+b" if final else "rb") as file:
        if final:
            # Its lock, too, says that it is not stale, however old it is, as soon as it has the other name.
            fcntl.flock(file, fcntl.LOCK_EX)
        if final and is_linked(source, path):
            try:
                os.fchmod(file.fileno(), 0o600)
                digest = copy_hashed(_interruptible(file)).sha256
                # An object is as old as its name.
                os.utime(file.fileno())
                os.fsync(file.fileno())
                yield digest
            finally:
                path.unlink(missing_ok=True)
        else:
            with unfinished_file(path) as target:
                yield copy_durably(file, target)


def is_linked(source: Path, path: Path) -> bool:
    """Whether the file could be given another name."""
    try:
        os.link(source, path)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def copy_durably(source: BinaryIO, target: BinaryIO) -> str:
    """Write into a file, through to the disk, and return the digest of what was written."""
    digest = copy_hashed(_interruptible(source), target)
    target.flush()
    os.fsync(target.fileno())
    return digest.sha256


def _interruptible(source: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks_of(source):
        yield chunk
        fail_point("put.half")


def link_new(unfinished: Path, place: Place) -> None:
    """Give a complete file its name in an open folder. Raises FileExistsError."""
    folder, name = place
    # Unlike a rename, a link never replaces what has the name already.
    os.link(unfinished, name, dst_dir_fd=folder)


def unlink_locked(place: Place, is_the_one: Callable[[os.stat_result], bool]) -> bool:
    """Remove a file of an open folder if it is the wanted one; whether it was.

    Whoever removes a file holds its lock, and no file replaces another. So what is looked at here keeps its name until
    it is removed here, however long this process is paused in between.

    Raises FileNotFoundError, NotRegular and, when another process holds the lock for long, StoreUnavailable.
    """
    folder, name = place
    while True:
        with io.FileIO(open_regular(name, dir_fd=folder)) as file:
            _lock(file, name)
            state = os.fstat(file.fileno())
            if not os.path.samestat(state, os.stat(name, dir_fd=folder, follow_symlinks=False)):
                continue  # Another process removed it, and the name is that of a new file.
            if wanted := is_the_one(state):
                os.unlink(name, dir_fd=folder)
            return wanted


def _lock(file: io.FileIO, name: str) -> None:
    deadline = time.monotonic() + _TURN_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"Another process is removing '{name}' and does not come to an end. Continue or end it."
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_stale(unfinished: Path, *, before: datetime) -> int:
    """Remove what killed processes left half written before that moment; how many files there were."""
    removed = 0
    for path in unfinished.iterdir():
        # Another process may be doing the same, or still be writing the file, however slowly.
        with suppress(FileNotFoundError, BlockingIOError, NotRegular), os.fdopen(open_regular(path), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_mtime < before.timestamp():
                path.unlink()
                removed += 1
    return removed
