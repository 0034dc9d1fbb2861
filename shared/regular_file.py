"""Opens files of the home folder: regular ones, and nothing that only has their name.

To open a fifo would block, and through a symbolic link another file would be read or overwritten.
"""

import errno
import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """Something other than a regular file has the name."""


def open_regular(path: str | Path, flags: int = os.O_RDONLY, *, dir_fd: int | None = None) -> int:
    """A descriptor of a regular file; what is made is for its owner alone.

    Raises:
        NotRegular: when a link, a fifo, a socket, a device or a folder has the name.
        OSError: as `os.open` does.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=dir_fd)
    except OSError as error:
        # A link; a fifo without a reader, or a socket; a folder that was to be written.
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP, errno.EISDIR}:
            raise _not_regular(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def _not_regular(path: str | Path) -> NotRegular:
    return NotRegular(errno.EINVAL, "It is not a regular file", str(path))
