"""From a key to the folder that holds its file. Links on the way are not followed: they could lead out of the store."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A file or a folder, by its own name."""

    name: str
    state: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return stat.S_ISDIR(self.state.st_mode)


@contextmanager
def folder_of(bucket: Path, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The open folder of a key, and the name of its file there; with `make`, missing folders are made.

    Raises:
        FileNotFoundError: when a folder is missing.
        NotADirectoryError: when something else has the name of one.
    """
    *folders, name = key.split("/")
    descriptor = os.open(bucket, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o700, dir_fd=descriptor)
            below = _enter(folder, descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor, name
    finally:
        os.close(descriptor)


def entries_of(bucket: Path, folder: str) -> list[Entry]:
    """The regular files and the folders in a folder of a bucket, which is named up to its last slash, by name.

    Raises FileNotFoundError and NotADirectoryError as `folder_of` does.
    """
    found = []
    with folder_of(bucket, folder) as (descriptor, _), os.scandir(descriptor) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # Deleted since.
                state = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):
                    found.append(Entry(entry.name, state))
    return sorted(found, key=lambda entry: entry.name)


def _enter(folder: str, above: int) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    except OSError as error:
        # Linux says of a link that it is not a folder, others that it is a link.
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        raise
