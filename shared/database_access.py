"""The way to the database: its URL read, and its errors put into sentences that quote no secret."""

import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from shared.database import Database, is_outage
from shared.errors import DatabaseDamaged, DatabaseUnavailable, PlatformError, WrongSettings
from shared.home import reason
from shared.settings import Settings

_VARIABLE = "MLMINI_DATABASE_URL"
_AWAY = f"The database does not answer. Start it, or set {_VARIABLE}."

_REFUSED = (
    f"The database refuses the user or the password of {_VARIABLE}. Set the right ones; inside a password, @ is "
    "written as %40, / as %2F and : as %3A."
)

# What PostgreSQL and its driver say while a connection is made: they give no codes for that. The first match counts.
# True means that waiting does not help: the settings, or the server's, have to change.
_CONNECTING: list[tuple[str, bool, str]] = [
    (
        r"password|authentication failed|role .* does not exist",
        True,
        _REFUSED,
    ),
    (
        r"pg_hba\.conf",
        True,
        f"The database takes no connections of this user from here. Allow them in its pg_hba.conf, or set {_VARIABLE}.",
    ),
    (
        r"database .* does not exist",
        True,
        f"The server has no database of the name in {_VARIABLE}. Create it, as `createdb` does, or set the right name.",
    ),
    (
        r"starting up|shutting down|recovery",
        False,
        "The database is just starting or stopping. It answers once it has started.",
    ),
    # An encrypted connection that breaks says this, too; it does not mean that encryption was not agreed on.
    (r"closed|\beof\b|reset by peer|broken pipe", False, _AWAY),
    (
        r"does not support ssl|invalid response to ssl|ssl error|ssl connection is required|sslmode|certificate",
        True,
        f"The database and {_VARIABLE} do not agree on encryption. Look at its parameter sslmode.",
    ),
    (r"connection option|invalid .*value", True, f"{_VARIABLE} has a parameter that the database does not know."),
    (
        r"too many (clients|connections)|connection slots",
        False,
        "The database has no connection left. Raise its max_connections, or stop what else uses it.",
    ),
    (
        r"resolve host|not known|name resolution",
        False,
        f"The host of {_VARIABLE} is not known here. Check its name, and start the database.",
    ),
    (
        r"refused",
        False,
        f"Nothing answers at the address of {_VARIABLE}. Start the database there, or set the right host and port.",
    ),
    (
        r"timeout|timed out|unreachable",
        False,
        f"The address of {_VARIABLE} gives no answer. Check host and port, and what is between here and there.",
    ),
]

# Names of hosts, users and files, as in `connection to server at "ssl-db" (10.0.0.1), port 5432 failed: ...`: they must
# not be taken for words of the message.
_NAMES = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'""")

_TAKEN = f"The database holds tables of another program. Name one for the platform alone in {_VARIABLE}."

# PostgreSQL's codes for what a connection met (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_CONNECTED = {
    "25006": f"The database can only be read. Name the server that takes writes in {_VARIABLE}.",
    "42501": f"The user of {_VARIABLE} may not use or make tables in this database. Grant it that, or name the user "
    "who owns the tables in MLMINI_DATABASE_OWNER_URL, with whom `mlmini up` makes them.",
    "42P07": _TAKEN,
    "53100": "The disk of the database is full. Free some space there.",
}

_OWN_FILE = f"{_VARIABLE}, or MLMINI_HOME where that is unset"
_NO_FILE = (
    "The database file cannot be opened or made. Check that its folder is there, that no folder has its name and that "
    f"this user may write there ({_OWN_FILE})."
)
_OTHER_FILE = f"The database file is not a SQLite file. Bring it back from a backup, or name another one ({_OWN_FILE})."
_SQLITE = {
    sqlite3.SQLITE_BUSY: "Another program holds the lock of the database file. Stop that program.",
    sqlite3.SQLITE_LOCKED: "Another program holds the lock of the database file. Stop that program.",
    sqlite3.SQLITE_READONLY: f"The database file can only be read. Make it and its folder writable ({_OWN_FILE}).",
    sqlite3.SQLITE_IOERR: "The disk of the database file cannot be read or written. Check it.",
    sqlite3.SQLITE_FULL: "There is no room left on the disk of the database file. Free some space.",
    sqlite3.SQLITE_CANTOPEN: _NO_FILE,
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. `mlmini fsck` tells more; bring it back from a backup.",
    sqlite3.SQLITE_NOTADB: _OTHER_FILE,
}


def open_database(settings: Settings, *, existing: bool = False) -> Database:
    """The database that the settings name; `existing` as in `Database`. It is not contacted yet.

    Raises:
        WrongSettings: when MLMINI_DATABASE_URL is not a URL that can be used.
    """
    try:
        url = make_url(settings.sqlalchemy_url)
        if url.get_backend_name() in {"sqlite", "postgresql"} and "@" not in (url.host or ""):
            return Database(settings.sqlalchemy_url, existing=existing)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        # What the libraries say may quote a piece of the password.
        pass
    raise WrongSettings(
        f"{_VARIABLE}: this is not the URL of a database that can be used here. It looks like "
        "postgresql://user:password@host/name, with a password in which @ is written as %40 and / as %2F."
    ) from None


def place_of(settings: Settings) -> str:
    """Where the database is, without its password, for those who sit at the machine."""
    url = make_url(settings.sqlalchemy_url)
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def account_of(url: URL) -> tuple[str, str]:
    """The user and the password of a URL; the driver prefers those in its query, if there are any."""
    given = {"user": url.username, "password": url.password} | url.query
    return str(given["user"] or ""), str(given["password"] or "")


@contextmanager
def explained() -> Iterator[None]:
    """Turn the errors of the database into sentences.

    Raises:
        DatabaseUnavailable: when it is away and may come back.
        WrongSettings: when somebody has to change something first.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise database_error(error) from error


def database_error(error: SQLAlchemyError) -> PlatformError:
    """What an error of the database means, and how to fix it."""
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        # It has no code for this one.
        unforeseen = _TAKEN if "already exists" in str(cause) else _unforeseen(error)
        sentence = _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, unforeseen)
        return DatabaseUnavailable(sentence) if is_outage(error) else WrongSettings(sentence)
    code: str | None = getattr(cause, "sqlstate", None)
    if code is not None:
        sentence = _CONNECTED.get(code, _AWAY if is_outage(error) else _unforeseen(error))
        return DatabaseUnavailable(sentence) if is_outage(error) else WrongSettings(sentence)
    said = _NAMES.sub("", str(cause))
    for pattern, wrong, sentence in _CONNECTING:
        if re.search(pattern, said, re.IGNORECASE):
            return WrongSettings(sentence) if wrong else DatabaseUnavailable(sentence)
    return DatabaseUnavailable(_AWAY)


def folder_error(error: OSError) -> WrongSettings:
    """What it means that the folder of a database file cannot be used."""
    return WrongSettings(
        f"The folder of the database file cannot be written: {reason(error)}. Let this user write there, or name "
        f"another place ({_OWN_FILE})."
    )


def check_writes(database: Database) -> None:
    """See that the database takes writes; nothing is written.

    Raises:
        DatabaseUnavailable: when it is away.
        WrongSettings: when it can only be read.
    """
    with explained(), database.engine.connect().execution_options(writes=True) as connection:
        if connection.dialect.name == "sqlite":
            # Its transaction begins with the lock that writing needs.
            connection.execute(text("SELECT 1"))
        expect_primary(connection)


def check_intact(database: Database, tables: Collection[str]) -> None:
    """See that the tables are there and, if damage was met, that it was repaired.

    Raises:
        DatabaseDamaged: when a table is missing, or SQLite finds the file damaged still.
        DatabaseUnavailable, WrongSettings: as `explained` tells errors.
    """
    if database.damaged_at is not None:
        # Open connections keep what they have read of the file. New ones read it again.
        database.engine.dispose()
    with explained(), database.engine.connect() as connection:
        if not set(tables) <= set(inspect(connection).get_table_names()):
            raise DatabaseDamaged
        # This reads the whole file, so it is done only for a reason.
        if database.damaged_at is not None and connection.dialect.name == "sqlite":
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
            if found != "ok":
                raise DatabaseDamaged
    database.damaged_at = None


def expect_primary(connection: Connection) -> None:
    """See that a PostgreSQL server takes writes, as a standby does not.

    Raises:
        WrongSettings: when it does not.
    """
    if connection.dialect.name == "postgresql":
        answer = connection.execute(text("SHOW transaction_read_only")).scalar_one()
        if answer == "on":
            raise WrongSettings(_CONNECTED["25006"])


def _unforeseen(error: SQLAlchemyError) -> str:
    name = type(getattr(error, "orig", None) or error).__name__
    return f"The database answers with an error ({name}). Its log says why."
