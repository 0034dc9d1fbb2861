"""Homes that older releases made, as they left them: on SQLite and a local store, or moved to PostgreSQL and S3."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import psycopg
from alembic import command
from psycopg import sql
from sqlalchemy.engine import make_url

from shared.database import Database
from shared.hashing import digest_of
from shared.migration import configuration
from shared.object_store import ObjectStore
from shared.settings import Settings

HOMES = Path(__file__).parents[1] / "homes"
BUCKETS = ("datasets", "trained-models")


def unpack(revision: str, home: Path) -> None:
    """The home whose tables are of that migration."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(HOMES / f"home-{revision}.tar.xz") as packed:
        packed.extractall(home, filter="data")
    # It packs the mode of its own folder, which the filter makes readable.
    home.chmod(0o700)


def copy_rows(home: Path, url: str, revision: str) -> None:
    """Bring an empty PostgreSQL database to the home's migration and copy all its rows there."""
    database = Database(url)
    with database.engine.connect() as connection:
        command.upgrade(configuration(connection), revision)
        connection.commit()
    database.close()
    with (
        closing(sqlite3.connect(home / "ml_registry.db")) as old,
        psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as new,
    ):
        # Rows come in any order, so that references are to be checked at the end: this user may leave that out.
        new.execute("SET session_replication_role = replica")
        for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"):
            _copy_table(old, new, table)


def copy_objects(home: Path, store: ObjectStore, settings: Settings) -> None:
    """Put the home's objects into an empty store."""
    for name, bucket in zip(BUCKETS, (settings.datasets_bucket, settings.models_bucket), strict=True):
        folder = home / "store" / name
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            store.put_new(bucket, str(path.relative_to(folder)), path, sha256=digest_of(path)[0])


def _copy_table(old: sqlite3.Connection, new: psycopg.Connection, table: str) -> None:
    name = sql.Identifier(table)
    new.execute(sql.SQL("DELETE FROM {}").format(name))
    found = old.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (a name from the schema)
    columns = [column[0] for column in found.description]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        name,
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    for row in found:
        new.execute(statement, row)
    if "id" in columns:
        new.execute(
            sql.SQL("SELECT setval(sequence, GREATEST(1, (SELECT MAX(id::text::bigint) FROM {}))) FROM ").format(name)
            + sql.SQL("(SELECT pg_get_serial_sequence({}, 'id') AS sequence) AS own WHERE sequence IS NOT NULL").format(
                sql.Literal(table)
            )
        )
