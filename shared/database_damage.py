"""How a database shows that it is damaged, or that its file is not the one that this process opened.

SQLite goes on writing into a file that was deleted or replaced: what it acknowledges then is lost. So each transaction
first looks whether the name still is that of the file that was opened.
"""

import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shared.errors import DatabaseDamaged, DatabaseUnavailable

# Corrupt, and not a database file (https://sqlite.org/rescode.html).
_SQLITE_DAMAGES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# No such table, and pages or indexes that cannot be right
# (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRESQL_DAMAGES = {"42P01", "XX001", "XX002"}
_GONE = (
    "The file of the database is gone, or another one has its name, since this process opened it. Check that its disk "
    "is mounted. If the file is lost, stop the platform, bring it back from a backup, run `mlmini fsck` and start."
)


def is_damage(error: SQLAlchemyError) -> bool:
    """Whether an error tells that what the database holds is damaged, which no other try can fix."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # It has no code for a table that is not there.
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in _SQLITE_DAMAGES or str(error.orig).startswith("no such table")
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL_DAMAGES


class OpenedFile:
    """The file of an SQLite database as this process first opened it; its methods listen to the engine's events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def connecting(self, *_: Any) -> None:
        """Called before a connection is made, which would make a missing file anew."""
        self.check()

    def connected(self, *_: Any) -> None:
        """Called once a connection is made."""
        if self._opened is None:
            try:
                state = self._path.stat()
            except OSError:
                return  # It was not touched yet.
            self._opened = (state.st_dev, state.st_ino)

    def check(self) -> None:
        """See that the name is still that of the file.

        Raises:
            DatabaseDamaged: when there is no file of that name, or another one.
            DatabaseUnavailable: when that cannot be told.
        """
        if self._opened is None:
            return
        try:
            state = self._path.stat()
        except FileNotFoundError:
            raise DatabaseDamaged(_GONE) from None
        except OSError:
            raise DatabaseUnavailable from None
        if not stat.S_ISREG(state.st_mode):
            raise DatabaseUnavailable
        if (state.st_dev, state.st_ino) != self._opened:
            raise DatabaseDamaged(_GONE)


def opened_file(url: str) -> OpenedFile | None:
    """The file that a URL names; None for a database in memory and for a server."""
    parsed = make_url(url)
    path = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or path.startswith(("file:", ":memory:")):
        return None
    return OpenedFile(Path(path).absolute())
