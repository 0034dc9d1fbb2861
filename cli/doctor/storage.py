"""What the platform keeps: the home folder, the database, the artifact key, the object store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.engine import make_url

from cli.doctor.examination import CheckResult, broken, note, ok
from shared.audit.rows import AuditRow
from shared.database import Database
from shared.database_access import check_writes, explained, folder_error, open_database, place_of
from shared.database_file import weakness_of_database
from shared.errors import PlatformError, WrongSettings
from shared.home import exposed, home_problem, probe_folder, weakness_of_home
from shared.hosts import is_loopback
from shared.migration import SENTENCES, SchemaState, schema_state
from shared.object_store import open_store
from shared.object_store.local import is_prepared
from shared.object_store.shelves import buckets_of
from shared.registry.artifact_keys import loss_of, of_other_keys, sealing_keys
from shared.registry.sealing import KEY_FILE, read_artifact_key
from shared.settings import Settings

_AT_START = "is made at the first start"


def check_home(settings: Settings) -> CheckResult:
    """The home folder, that this user can write it, and that no other can."""
    home = settings.home
    try:
        if not home.exists():
            # What is missing is made below the first folder that exists.
            _expect_room_for(home)
            return ok("Home folder", f"{home} {_AT_START}")
        probe_folder(home)
        if settings.scratch.exists():
            probe_folder(settings.scratch)
        found = weakness_of_home(home)
    except OSError as error:
        return broken("Home folder", str(home), home_problem(error, str(home)))
    if found is not None:
        return broken("Home folder", f"{home} is not for this user alone", exposed(found))
    return ok("Home folder", str(home))


def check_database(settings: Settings) -> CheckResult:
    """The database, whether its tables are those of this release, and that it takes writes."""
    database = open_database(settings, existing=True)
    place = place_of(settings)
    try:
        if _is_still_to_be_made(settings):
            return ok("Database", f"{place} {_AT_START}")
        _expect_private(settings)
        state = _schema(database)
        if state in {SchemaState.EMPTY, SchemaState.BEHIND}:
            # The start makes them, or brings them up to date.
            return note("Database", place, SENTENCES[state])
        if state is not SchemaState.CURRENT:
            return broken("Database", place, SENTENCES[state])
        check_writes(database)
        rights = _rights(database)
    except PlatformError as error:
        return broken("Database", place, error.detail)
    except OSError as error:
        return broken("Database", place, folder_error(error).detail)
    finally:
        database.close()
    return _well(settings, f"{place}, with the tables of this release{rights}")


def _rights(database: Database) -> str:
    """Whether an account of PostgreSQL may do more than the API and the workers need."""
    if database.engine.dialect.name != "postgresql":
        return ""
    with explained(), database.engine.connect() as connection:
        record = {"table": AuditRow.__tablename__}
        mighty = connection.scalar(text("SELECT has_table_privilege(CAST(:table AS regclass), 'DELETE')"), record)
    return ", as an account that may change the audit record" if mighty else ", as an account that changes rows alone"


def _well(settings: Settings, found: str) -> CheckResult:
    """What is told of a database that does its job."""
    if _proves_itself(settings):
        return ok("Database", found)
    hint = (
        "End MLMINI_DATABASE_URL with ?sslmode=verify-full&sslrootcert=/path/ca.pem, unless nobody else is in the "
        "network between: whoever stands there could answer in its place."
    )
    return note("Database", f"{found}; it need not prove that it is that one", hint)


def _proves_itself(settings: Settings) -> bool:
    """Whether a server on another machine has to show a certificate; what is on this machine need not."""
    url = make_url(settings.sqlalchemy_url)
    if url.host is None or is_loopback(url.host):
        return True
    return (url.query.get("sslmode") or os.environ.get("PGSSLMODE")) in {"verify-full", "verify-ca"}


def check_key(settings: Settings) -> CheckResult:
    """The artifact key, and whether it is the one that the active models were sealed with."""
    key = read_artifact_key(settings)
    place = str(settings.home / KEY_FILE) if settings.artifact_key is None else "MLMINI_ARTIFACT_KEY"
    try:
        sealed = _sealed(settings, retired=key is None)
    except PlatformError:
        # The check of the database says what is wrong.
        return note("Artifact key", "not checked: the database does not answer", "Repair the database first.")
    if key is None and sealed:
        names, count = ", ".join(sorted(sealed)), sum(sealed.values())
        found = f"{place} is not there, but models ({count}) were sealed with {names}"
        return broken("Artifact key", found, f"{loss_of(sealed)} Without it the platform does not start.")
    others = {} if key is None else of_other_keys(sealed, key)
    if key is not None and others:
        names, count = ", ".join(sorted(others)), sum(others.values())
        return broken(
            "Artifact key",
            f"{place} is the key {key.id}, but models ({count}) were sealed with {names}",
            f"Bring that {KEY_FILE} back from a backup, or set its MLMINI_ARTIFACT_KEY again, for the API and all "
            "workers: with another key these models do not load.",
        )
    if key is None:
        return ok("Artifact key", f"{place} {_AT_START}")
    older = len(key.older) + len(key.given_up)
    return ok("Artifact key", f"{place}, the key {key.id}" + (f" and {older} older" if older else ""))


def check_store(settings: Settings) -> CheckResult:
    """The object store and its buckets."""
    store = open_store(settings)
    place = _store_place(settings)
    try:
        if settings.store == "local" and not (settings.home / "store").exists():
            return ok("Object store", f"{place} {_AT_START}")
        if settings.store == "local" and not is_prepared(settings.home / "store"):
            probe_folder(settings.home / "store")
            return ok("Object store", f"{place}, from a backup: the first start prepares it")
        store.check()
    except PlatformError as error:
        return broken("Object store", place, error.detail)
    except OSError as error:
        return broken("Object store", place, home_problem(error, str(settings.home)))
    finally:
        store.close()
    return ok("Object store", place)


@contextmanager
def database_now(settings: Settings) -> Iterator[Database | None]:
    """The database for a look; None while it has no tables of this release, or its folder cannot be used.

    Raises:
        PlatformError: when it cannot be asked.
    """
    database = open_database(settings, existing=True)
    try:
        yield database if _has_tables(database, settings) else None
    finally:
        database.close()


def _has_tables(database: Database, settings: Settings) -> bool:
    try:
        return not _is_still_to_be_made(settings) and _schema(database) is SchemaState.CURRENT
    except OSError:
        # The check of the database says what is wrong with its folder.
        return False


def _expect_room_for(path: Path) -> None:
    parent = next(parent for parent in path.parents if parent.exists())
    probe_folder(parent)


def _is_still_to_be_made(settings: Settings) -> bool:
    url = make_url(settings.sqlalchemy_url)
    path = Path(url.database or ":memory:")
    if url.get_backend_name() != "sqlite" or path.exists() or str(path).startswith(("file:", ":memory:")):
        return False
    _expect_room_for(path.absolute())
    return True


def _expect_private(settings: Settings) -> None:
    found = weakness_of_database(settings)
    if found is not None:
        raise WrongSettings(exposed(found))


def _schema(database: Database) -> SchemaState:
    with explained(), database.engine.connect() as connection:
        return schema_state(connection)


def _sealed(settings: Settings, *, retired: bool) -> dict[str, int]:
    """How many active models, or models at all, each key has sealed; empty without tables of this release.

    Raises:
        PlatformError: when the database cannot be asked.
    """
    with database_now(settings) as database:
        if database is None:
            return {}
        with database.read() as session:
            return sealing_keys(session, retired=retired)


def _store_place(settings: Settings) -> str:
    if settings.store == "local":
        return str(settings.home / "store")
    # Without a password, which may stand before an @.
    host = urlsplit(settings.s3_endpoint_url).netloc.rpartition("@")[2] if settings.s3_endpoint_url else "AWS"
    *others, last = buckets_of(settings)
    return f"S3 at {host}, buckets {', '.join(others)} and {last}"
