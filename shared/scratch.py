"""A folder for the files that one process needs for a while; what dead processes left is swept at the next start."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_LOCK = "owner.lock"


class Scratch:
    """A private folder below `root`. Its lock is held as long as the process lives, also through kill -9."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(root)
        self.folder = Path(tempfile.mkdtemp(prefix="process-", dir=root))
        self._lock = os.open(self.folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _sweep(root: Path) -> None:
    for folder in root.glob("process-*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except FileNotFoundError:
            # Its owner has made the folder and not yet the lock, or is just leaving.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
