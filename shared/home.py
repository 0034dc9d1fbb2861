"""The home folder: that this user can write it and no other can, and what to say when that is not so."""

import errno
import os
import tempfile
from pathlib import Path

from shared.errors import WrongSettings
from shared.ownership import weakness, weakness_on_the_way, weaknesses_inside
from shared.regular_file import NotRegular

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
# The umask of every process: what it makes is for its owner alone.
PRIVATE = 0o077
# In the home: the URL with which the parts come to PostgreSQL, where another account owns the tables.
DATABASE_URL_FILE = "database.url"
_OTHER_THING = {errno.EEXIST, errno.ENOTDIR}


def prepare_home(home: Path) -> None:
    """Make the folder where it is missing, and see that this user can write files in it and no other can.

    Raises:
        WrongSettings: when it cannot be used.
    """
    try:
        make_private(home)
        probe_folder(home)
        found = weakness_of_home(home)
    except OSError as error:
        raise WrongSettings(home_problem(error, str(home))) from None
    if found is not None:
        raise WrongSettings(exposed(found))


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone.

    Raises:
        OSError: when that cannot be done.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_private(folder.parent)
        # Another process may be doing the same.
        folder.mkdir(mode=0o700, exist_ok=True)


def weakness_of_home(home: Path) -> str | None:
    """How other users could change what a home folder keeps, and how to fix it; None if they cannot.

    Raises:
        OSError: when it cannot be looked at.
    """
    found = weakness_on_the_way(home) or weakness(home.resolve()) or next(weaknesses_inside(home), None)
    store = home / "store"
    return found or (next(weaknesses_inside(store), None) if store.is_dir() else None)


def exposed(found: str) -> str:
    """What a weakness means."""
    return f"{found} Whoever can change what the platform keeps can have it run their code."


def check_home(home: Path) -> None:
    """See that files can be written in the folder; its errors may be shown to clients on the network.

    Raises:
        WrongSettings: when they cannot; it does not tell where the folder is.
    """
    try:
        probe_folder(home)
    except OSError as error:
        raise WrongSettings(home_problem(error, "its folder")) from None


def probe_folder(folder: Path) -> None:
    """Write a file without a name: permissions alone tell nothing of full disks, or to a privileged user.

    Raises:
        OSError: when it cannot be written.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())


def home_problem(error: OSError, folder: str) -> str:
    """What is wrong with a home folder, and how to fix it."""
    return f"MLMINI_HOME: {folder} cannot be used as the home folder: {reason(error)}. {hint(error)}"


def reason(error: OSError) -> str:
    """The system's words for an error, without the path that is part of its message."""
    if isinstance(error, NotRegular):
        return "It holds something that is not a regular file"
    return os.strerror(error.errno) if error.errno else type(error).__name__


def hint(error: OSError) -> str:
    """What to do about a folder of the platform that cannot be used."""
    if isinstance(error, NotRegular):
        return f"Move '{Path(error.filename).name}' away."
    number = error.errno
    if number in NO_ROOM:
        return "There is no room left on its disk: free some space."
    if number in _FORBIDDEN:
        user = os.getuid()
        return (
            f"It has to belong to the user with the id {user}, as whom this runs: `chown -R {user}` the folder or the "
            "volume, or set MLMINI_HOME to another one."
        )
    if number == errno.EROFS:
        return "Mount its disk so that it can be written, or set MLMINI_HOME to another folder."
    if number in _OTHER_THING:
        return "A file is in the place of a folder: move it away, or set MLMINI_HOME to another folder."
    return "Check that its disk is mounted, or set MLMINI_HOME to another folder."
