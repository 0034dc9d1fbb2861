"""The home folder: which launcher holds it, and where the logs are."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.launcher.errors import StartFailed
from shared.errors import WrongSettings
from shared.home import home_problem, prepare_home
from shared.regular_file import open_regular

LOCK_NAME = "lock"


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Create the folder if it is missing, and hold it for this process alone.

    The kernel frees the lock when the process ends, however it ends, and children do not inherit it. So a lock file
    that was left behind means nothing.

    Raises:
        WrongSettings: when the folder cannot be used.
        StartFailed: when another launcher holds it.
    """
    prepare_home(home)
    try:
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
        descriptor = open_regular(home / LOCK_NAME, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise WrongSettings(home_problem(error, str(home))) from None
    try:
        _lock(descriptor, home)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, home: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        raise StartFailed(
            f"the platform already runs on {home} (process {holder}). "
            "Stop it first, or set MLMINI_HOME to another folder to run a second one."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def fresh_log(home: Path, name: str) -> Path:
    """The path of a part's log; what an earlier run wrote is kept beside it, with `.1` at the end."""
    path = home / "logs" / f"{name}.log"
    with suppress(FileNotFoundError):
        path.replace(older_log(path))
    return path


def older_log(path: Path) -> Path:
    """Where the older part of a log is kept."""
    return path.with_name(f"{path.name}.1")
