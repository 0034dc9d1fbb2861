"""The file of the database itself, where it is one."""

from collections.abc import Iterator

from sqlalchemy import text

from shared.consistency.difference import Difference
from shared.database import Database

_HINT = "Stop the platform and bring the database back from a backup."


def differences(database: Database) -> Iterator[Difference]:
    """What SQLite finds in its file; other servers check theirs by themselves."""
    with database.read() as session:
        if session.get_bind().dialect.name != "sqlite":
            return
        for answer in session.scalars(text("PRAGMA integrity_check")):
            if answer != "ok":
                yield Difference("database_damaged", "the database file", str(answer), _HINT)
        for row in session.execute(text("PRAGMA foreign_key_check")):
            found = f"a row that refers to one of {row[2]} that is not there"
            yield Difference("reference_broken", f"row {row[1]} of {row[0]}", found, _HINT)
