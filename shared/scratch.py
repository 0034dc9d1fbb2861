"""A folder for the files that one process needs for a while; what dead processes left is swept."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import ScratchFull, ScratchUnavailable
from shared.home import NO_ROOM, hint, reason
from shared.regular_file import NotRegular, open_regular

_LOCK = "owner.lock"


class Scratch:
    """A private folder below `root`. Its lock is held as long as the process lives; even kill -9 releases it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A process that starts at the same time must not find the folder before its lock is taken.
        with _exclusive_lock(root):
            _sweep(root)
            self.folder = Path(tempfile.mkdtemp(prefix="process-", dir=root))
            self._lock = os.open(self.folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


@contextmanager
def scratch_errors() -> Iterator[None]:
    """Turn what the system says of files in such a folder into ScratchFull and ScratchUnavailable."""
    try:
        yield
    except OSError as error:
        raise scratch_error(error) from error


def scratch_error(error: OSError) -> ScratchFull | ScratchUnavailable:
    """What the system says of files in such a folder, as an error of the platform."""
    if error.errno in NO_ROOM:
        return ScratchFull()
    return ScratchUnavailable(
        f"The folder below MLMINI_HOME where files are put for a while cannot be used: {reason(error)}. {hint(error)} "
        "A restart makes a folder that is missing."
    )


def sweep_scratch(root: Path) -> int:
    """Remove what dead processes left below `root`; how many folders there were."""
    with _exclusive_lock(root):
        return _sweep(root)


@contextmanager
def _exclusive_lock(root: Path) -> Iterator[None]:
    lock = open_regular(root / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sweep(root: Path) -> int:
    dead = [folder for folder in root.glob("process-*") if not _has_owner(folder)]
    for folder in dead:
        shutil.rmtree(folder, ignore_errors=True)
    return len(dead)


def _has_owner(folder: Path) -> bool:
    try:
        lock = open_regular(folder / _LOCK, os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError, NotRegular):
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)
