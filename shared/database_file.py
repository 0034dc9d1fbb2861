"""The file of an SQLite database: that it is one, and that other users can neither change nor read it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from shared.errors import WrongSettings
from shared.home import exposed
from shared.ownership import weakness, weakness_on_the_way
from shared.settings import Settings

# SQLite's own files beside it get its permissions when they are made.
_BESIDE = ("", "-wal", "-shm", "-journal")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def database_path(url: str) -> Path | None:
    """The file of an SQLite database; None for one in memory and for a server."""
    parsed = make_url(url)
    path = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or path.startswith(("file:", ":memory:")):
        return None
    return Path(path).absolute()


def weakness_of_database(settings: Settings) -> str | None:
    """How other users could change the database file, if there is one, and how to fix it; None if they cannot.

    Raises:
        WrongSettings: when something else than a file has its name.
        OSError: when it cannot be looked at.
    """
    path = database_path(settings.sqlalchemy_url)
    if path is None:
        return None
    try:
        state = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(state.st_mode):
        return None  # SQLite refuses it by itself.
    if not stat.S_ISREG(state.st_mode):
        raise WrongSettings(
            f"{path} has the name of the database file and is not a regular file. Move it away, or name the file "
            "itself in MLMINI_DATABASE_URL."
        )
    return weakness_on_the_way(path) or weakness(path.parent) or next(_weaknesses(path), None)


def protect_database(settings: Settings) -> None:
    """See that no other user can change the database file, and let none read it if it belongs to this one.

    Raises:
        WrongSettings: when others can change it, or it is not a file.
    """
    path = database_path(settings.sqlalchemy_url)
    try:
        found = weakness_of_database(settings)
        if found is None and path is not None:
            for ending in _BESIDE:
                _hide(path.with_name(path.name + ending))
    except OSError:
        return  # What cannot be looked at cannot be opened either, which tells more.
    if found is not None:
        raise WrongSettings(exposed(found))


def _weaknesses(path: Path) -> Iterator[str]:
    """The weaknesses of the file and of the files beside it: SQLite trusts what its log and its journal say."""
    for ending in _BESIDE:
        try:
            found = weakness(path.with_name(path.name + ending))
        except FileNotFoundError:
            continue  # Not made yet, or removed meanwhile.
        if found is not None:
            yield found


def _hide(path: Path) -> None:
    try:
        state = path.lstat()
        if stat.S_ISREG(state.st_mode) and state.st_uid == os.getuid() and state.st_mode & _OTHERS:
            path.chmod(state.st_mode & stat.S_IRWXU)
    except FileNotFoundError:
        return  # Not made yet, or removed meanwhile.
