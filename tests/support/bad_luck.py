"""Installations that cannot work, each for one reason, and what they have to say about it."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from alembic import command

from shared.database import Database
from shared.migration import configuration
from tests.support.servers import S3, PostgreSQL, Valkey, free_ports

# In every password and key: no sentence may have it.
SECRET = "hush"

REFUSES, WAITS, WORKS = "refuses", "waits", "works"


class GuardedPostgreSQL(PostgreSQL):
    """Asks for a password of one user."""

    def start(self) -> None:
        """See Server."""
        rules = self.data / "pg_hba.conf"
        if "guarded" not in rules.read_text():
            rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        super().start()
        self.execute("DROP ROLE IF EXISTS guarded")
        self.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")


class GuardedValkey(Valkey):
    """Asks for a password."""

    def command(self) -> list[str]:
        """See Server."""
        return [*super().command(), "--requirepass", "right"]

    def is_ready(self) -> bool:
        """See Server."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"AUTH right\r\n")
            return connection.recv(16).startswith(b"+OK")


class GuardedS3(S3):
    """Knows a user who may look and not make anything."""

    reader = ("reader", f"{SECRET}-of-the-reader")

    def command(self) -> list[str]:
        """See Server."""
        users = [
            ("owner", self.access_key, self.secret_key, ["Admin", "Read", "Write", "List"]),
            ("reader", *self.reader, ["Read", "List"]),
        ]
        identities = [
            {"name": name, "credentials": [{"accessKey": access, "secretKey": secret}], "actions": actions}
            for name, access, secret, actions in users
        ]
        (self.folder / "users.json").write_text(json.dumps({"identities": identities}))
        return [*super().command(), f"-s3.config={self.folder / 'users.json'}"]

    def environment(self) -> dict[str, str]:
        """See Server."""
        return {name: value for name, value in super().environment().items() if not name.startswith("AWS_")}


@dataclass(frozen=True)
class Guarded:
    """One of each."""

    postgres: GuardedPostgreSQL
    s3: GuardedS3
    valkey: GuardedValkey


@dataclass(frozen=True)
class Scene:
    """The servers that bad luck can happen to, and a folder."""

    folder: Path
    sqlite: Path
    postgres: GuardedPostgreSQL
    s3: GuardedS3
    valkey: GuardedValkey

    @property
    def home(self) -> Path:
        """The home folder, not made yet."""
        return self.folder / "home"

    def migrated(self) -> Path:
        """The home with a database of this release."""
        self.home.mkdir()
        shutil.copyfile(self.sqlite, self.home / "ml_registry.db")
        return self.home

    @property
    def redis_url(self) -> str:
        """The URL with which Redis can be used."""
        return f"redis://:right@127.0.0.1:{self.valkey.port}/0"

    def redis(self, url: str) -> dict[str, str]:
        """The variables of a Redis that is not what it should be, when all else is well."""
        self.migrated()
        return {"REDIS_URL": url}

    def store(self, **variables: str) -> dict[str, str]:
        """The variables of the S3 store, with buckets that are not there, and some of them otherwise."""
        self.migrated()
        own = token_hex(6)
        right = {
            "STORE": "s3",
            "S3_ENDPOINT_URL": self.s3.endpoint_url,
            "S3_ACCESS_KEY": self.s3.access_key,
            "S3_SECRET_KEY": self.s3.secret_key,
            "DATASETS_BUCKET": f"datasets-{own}",
            "MODELS_BUCKET": f"models-{own}",
            "PREDICTIONS_BUCKET": f"predictions-{own}",
        }
        return right | variables


@dataclass(frozen=True)
class Row:
    """One kind of bad luck: how it comes about, what is said of it, and what each process does."""

    variables: Callable[[Scene], dict[str, str]]
    says: str
    # The part of which the doctor tells it, and how.
    part: str
    prepare: int = 2
    api: str = REFUSES
    worker: str = REFUSES
    doctor: str = "broken"


def _older(scene: Scene) -> dict[str, str]:
    database = Database(f"sqlite:///{scene.migrated()}/ml_registry.db")
    with database.engine.connect() as connection:
        command.downgrade(configuration(connection), "-1")
        connection.commit()
    database.close()
    return {}


def _newer(scene: Scene) -> dict[str, str]:
    with closing(sqlite3.connect(scene.migrated() / "ml_registry.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    return {}


def _file_in_place_of(scene: Scene, name: str) -> dict[str, str]:
    (scene.migrated() / name).write_text("a file")
    return {}


def _key(scene: Scene, content: str, *, mode: int) -> dict[str, str]:
    key = scene.migrated() / "artifact.key"
    key.write_text(content)
    key.chmod(mode)
    return {}


def _open_to_all(scene: Scene) -> dict[str, str]:
    scene.migrated().chmod(0o777)
    return {}


def _no_sqlite(scene: Scene) -> dict[str, str]:
    scene.home.mkdir()
    (scene.home / "ml_registry.db").write_text("this is a letter to a friend, and no database at all\n" * 40)
    return {}


def _of_another_program(scene: Scene) -> dict[str, str]:
    scene.home.mkdir()
    with closing(sqlite3.connect(scene.home / "ml_registry.db")) as database:
        database.execute("CREATE TABLE jobs (title TEXT)")
    return {}


def _home_below_a_file(scene: Scene) -> dict[str, str]:
    (scene.folder / "file").touch()
    return {"HOME": str(scene.folder / "file" / "home")}


def _sqlite_below_a_file(scene: Scene) -> dict[str, str]:
    (scene.folder / "file").touch()
    return {"DATABASE_URL": f"sqlite:///{scene.folder}/file/x.db"}


def _read_only(scene: Scene) -> dict[str, str]:
    name = f"read_only_{token_hex(6)}"
    scene.postgres.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    scene.postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    return {"DATABASE_URL": scene.postgres.url(name)}


def _guarded(scene: Scene, user: str) -> dict[str, str]:
    return {"DATABASE_URL": f"postgresql://{user}@127.0.0.1:{scene.postgres.port}/postgres"}


def _nowhere(url: str) -> str:
    return url.format(port=free_ports(1)[0], secret=SECRET)


def _reader(scene: Scene) -> dict[str, str]:
    access, secret = scene.s3.reader
    return scene.store(S3_ACCESS_KEY=access, S3_SECRET_KEY=secret)


NOWHERE = "postgresql://me:{secret}@127.0.0.1:{port}/x"

ROWS = {
    "the database URL is none": Row(
        lambda _: {"DATABASE_URL": f"my database, {SECRET}"},
        "MLMINI_DATABASE_URL: this is not the URL",
        "Database",
    ),
    "the database is of an unknown kind": Row(
        lambda _: {"DATABASE_URL": f"oracle://me:{SECRET}@db/x"}, "MLMINI_DATABASE_URL: this is not the URL", "Database"
    ),
    "the database's driver is not installed": Row(
        lambda _: {"DATABASE_URL": f"postgresql+pg8000://me:{SECRET}@db/x"},
        "MLMINI_DATABASE_URL: this is not the URL",
        "Database",
    ),
    "the password breaks the database URL": Row(
        lambda _: {"DATABASE_URL": f"postgresql://me:pass@{SECRET}@db/x"},
        "a password in which @ is written as %40",
        "Database",
    ),
    "the database's host is unknown": Row(
        lambda _: {"DATABASE_URL": f"postgresql://me:{SECRET}@nohost.invalid/x"},
        "The host of MLMINI_DATABASE_URL is not known here",
        "Database",
        prepare=3,
        worker=WAITS,
    ),
    "no database listens": Row(
        lambda _: {"DATABASE_URL": _nowhere(NOWHERE)},
        "Nothing answers at the address of MLMINI_DATABASE_URL. Start the database",
        "Database",
        prepare=3,
        worker=WAITS,
    ),
    "the database's password is wrong": Row(
        lambda scene: _guarded(scene, f"guarded:{SECRET}"),
        "refuses the user or the password of MLMINI_DATABASE_URL",
        "Database",
    ),
    "the database's user is unknown": Row(
        lambda scene: _guarded(scene, f"nobody:{SECRET}"),
        "refuses the user or the password of MLMINI_DATABASE_URL",
        "Database",
    ),
    "the database is not there": Row(
        lambda scene: {"DATABASE_URL": scene.postgres.url("nothing_here")},
        "no database of the name in MLMINI_DATABASE_URL. Create it",
        "Database",
    ),
    "the database can only be read": Row(
        _read_only, "can only be read. Name the server that takes writes in MLMINI_DATABASE_URL", "Database"
    ),
    "the database's folder is a file": Row(
        _sqlite_below_a_file, "MLMINI_HOME where that is unset", "Database", worker=WAITS
    ),
    "the database file is none": Row(_no_sqlite, "The database file is not a SQLite file. Bring it back", "Database"),
    "the schema is older": Row(
        _older,
        "older release. `mlmini up` brings them up to date, and so does `alembic upgrade head`",
        "Database",
        prepare=0,
        doctor="note",
    ),
    "the schema is newer": Row(
        _newer,
        "made by a newer release than this one, or by another program. Run the newer release",
        "Database",
    ),
    "the database is another program's": Row(_of_another_program, "tables of another program", "Database"),
    "the home folder is below a file": Row(
        _home_below_a_file, "MLMINI_HOME: {home} cannot be used as the home folder: Not a directory.", "Home folder"
    ),
    "the scratch folder is a file": Row(
        lambda scene: _file_in_place_of(scene, "scratch"),
        "A file is in the place of a folder: move it away, or set MLMINI_HOME",
        "Home folder",
    ),
    "the store's folder is a file": Row(
        lambda scene: _file_in_place_of(scene, "store"),
        "A file is in the place of a folder: move it away, or set MLMINI_HOME",
        "Object store",
        prepare=3,
        api=WORKS,
        worker=WAITS,
    ),
    "the artifact key is damaged": Row(
        lambda scene: _key(scene, "a file", mode=0o600),
        "artifact.key in the home folder does not hold a key. Bring the file back from a backup",
        "Artifact key",
    ),
    "the artifact key can be read by others": Row(
        lambda scene: _key(scene, SECRET, mode=0o644),
        "Run `chmod 600 {home}/artifact.key`",
        "Artifact key",
    ),
    "the home folder can be written by others": Row(
        _open_to_all,
        "Run `chmod go-w {home}`. Whoever can change what the platform keeps can have it run their code",
        "Home folder",
    ),
    "the S3 secret is wrong": Row(
        lambda scene: scene.store(S3_SECRET_KEY=SECRET),
        "refuses the credentials",
        "Object store",
        prepare=3,
        api=WORKS,
        worker=WAITS,
    ),
    "the S3 endpoint is nowhere": Row(
        lambda scene: scene.store(S3_ENDPOINT_URL=_nowhere("http://me:{secret}@127.0.0.1:{port}")),
        "nothing is at the address of MLMINI_S3_ENDPOINT_URL",
        "Object store",
        prepare=3,
        api=WORKS,
        worker=WAITS,
    ),
    "the S3 endpoint is none of S3": Row(
        lambda scene: scene.store(S3_ENDPOINT_URL=f"http://127.0.0.1:{scene.valkey.port}"),
        "Check that MLMINI_S3_ENDPOINT_URL is its S3 port",
        "Object store",
        prepare=3,
        api=WORKS,
        worker=WAITS,
    ),
    "a bucket is missing": Row(
        lambda scene: scene.store(), "name the right one in MLMINI_DATASETS_BUCKET", "Object store", 0, WORKS, WORKS
    ),
    "a bucket is missing and may not be made": Row(
        _reader, "has no bucket 'datasets-", "Object store", prepare=3, api=WORKS, worker=WAITS
    ),
    "the Redis URL is none": Row(
        lambda scene: scene.redis(f"redis://:{SECRET}/word@127.0.0.1"),
        "MLMINI_REDIS_URL: this is not the URL of a Redis server",
        "Redis",
    ),
    "no Redis listens": Row(
        lambda scene: scene.redis(_nowhere("redis://:{secret}@127.0.0.1:{port}/0")),
        "Nothing answers at the address of MLMINI_REDIS_URL. Start Redis or Valkey",
        "Redis",
        prepare=3,
        api=WORKS,
        worker=WORKS,
    ),
    "the Redis password is wrong": Row(
        lambda scene: scene.redis(f"redis://:{SECRET}@127.0.0.1:{scene.valkey.port}/0"),
        "refuses the password or the user of MLMINI_REDIS_URL",
        "Redis",
        api=WORKS,
        worker=WORKS,
    ),
}


def environment_of(row: Row, scene: Scene) -> dict[str, str]:
    """The variables of an installation with this bad luck."""
    variables = {"HOME": str(scene.home)} | row.variables(scene)
    return {f"MLMINI_{name}": value for name, value in variables.items()}
