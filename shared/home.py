"""The home folder: that it can be written, and what to say when it cannot."""

import errno
import os
import tempfile
from pathlib import Path

from shared.errors import WrongSettings

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_OTHER_THING = {errno.EEXIST, errno.ENOTDIR}


def prepare_home(home: Path) -> None:
    """Make the folder where it is missing, and see that files can be written in it.

    Raises:
        WrongSettings: when it cannot be used.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe_folder(home)
    except OSError as error:
        raise WrongSettings(home_fault(error, str(home))) from None


def check_home(home: Path) -> None:
    """See that files can be written in the folder, as one that asks over the network may be told.

    Raises:
        WrongSettings: when they cannot; it does not tell where the folder is.
    """
    try:
        probe_folder(home)
    except OSError as error:
        raise WrongSettings(home_fault(error, "its folder")) from None


def probe_folder(folder: Path) -> None:
    """Write a file without a name: permissions alone tell nothing of full disks, or to a privileged user.

    Raises:
        OSError: when it cannot be written.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())


def home_fault(error: OSError, folder: str) -> str:
    """What is wrong with a home folder, and how to mend it."""
    return f"MLMINI_HOME: {folder} cannot be used as the home folder: {reason(error)}. {cure(error)}"


def reason(error: OSError) -> str:
    """The system's words for an error, without the path that is part of its message."""
    return os.strerror(error.errno) if error.errno else type(error).__name__


def cure(error: OSError) -> str:
    """What to do about a folder of the platform that cannot be used."""
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
