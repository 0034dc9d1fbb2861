"""What is said of a database that cannot be reached: whether it may come back, whatever its host is called."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from shared.database_access import database_error
from shared.errors import DatabaseUnavailable, PlatformError, WrongSettings
from tests.support.servers import free_ports

# Closing with this sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)

AWAY = "The database does not answer"
ENCRYPTION = "do not agree on encryption"


def fault_of(url: str) -> PlatformError:
    """What is said when a connection is tried."""
    engine = create_engine(url)
    with pytest.raises(OperationalError) as failed:
        engine.connect()
    engine.dispose()
    return database_error(failed.value)


@contextmanager
def server(answer: bytes, *, resets: bool = False) -> Iterator[int]:
    """The port of a server that gives one answer to the wish for encryption, and goes away."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(answer)
                if answer == b"S":
                    connection.recv(1)
                if resets:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=30)


def test_the_name_of_a_host_is_no_word_of_the_message() -> None:
    one, other = free_ports(2)
    hosts = "host=ssl-db.internal,pg-password-db&hostaddr=127.0.0.1,127.0.0.1"
    fault = fault_of(f"postgresql+psycopg://certificate:x@/sslmode?{hosts}&port={one},{other}")
    assert isinstance(fault, DatabaseUnavailable)
    assert "Nothing answers at the address" in fault.detail


def test_a_host_of_any_name_that_is_not_known_is_told_as_that() -> None:
    fault = fault_of("postgresql+psycopg://me@ssl-password.invalid/x")
    assert isinstance(fault, DatabaseUnavailable)
    assert "is not known here" in fault.detail


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
def test_an_encrypted_connection_that_breaks_is_no_wrong_setting(resets: bool) -> None:
    with server(b"S", resets=resets) as port:
        fault = fault_of(f"postgresql+psycopg://me@127.0.0.1:{port}/x?sslmode=require")
    assert isinstance(fault, DatabaseUnavailable)
    assert AWAY in fault.detail


@pytest.mark.parametrize("answer", [b"N", b"H"], ids=["refused", "not understood"])
def test_a_server_without_encryption_is_a_wrong_setting(answer: bytes) -> None:
    with server(answer) as port:
        fault = fault_of(f"postgresql+psycopg://me@127.0.0.1:{port}/x?sslmode=require")
    assert isinstance(fault, WrongSettings)
    assert ENCRYPTION in fault.detail


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        ("consuming input failed: SSL connection has been closed unexpectedly", DatabaseUnavailable, AWAY),
        ("consuming input failed: SSL SYSCALL error: EOF detected", DatabaseUnavailable, AWAY),
        ("SSL error: unexpected eof while reading", DatabaseUnavailable, AWAY),
        ("could not receive data from server: Connection reset by peer", DatabaseUnavailable, AWAY),
        ("{prefix} SSL SYSCALL error: Connection reset by peer", DatabaseUnavailable, AWAY),
        ("{prefix} Connection refused\n{prefix} Connection refused", DatabaseUnavailable, "Nothing answers"),
        ("{prefix} timeout expired", DatabaseUnavailable, "gives no answer"),
        ("{prefix} FATAL:  the database system is starting up", DatabaseUnavailable, "starting or stopping"),
        ('{prefix} FATAL:  password authentication failed for user "ssl"', WrongSettings, "refuses the user"),
        ('{prefix} FATAL:  role "certificate" does not exist', WrongSettings, "refuses the user"),
        ('{prefix} FATAL:  database "password" does not exist', WrongSettings, "no database of the name"),
        ("{prefix} SSL error: certificate verify failed", WrongSettings, ENCRYPTION),
        ('root certificate file "/root/.postgresql/root.crt" does not exist', WrongSettings, ENCRYPTION),
        ("{prefix} server does not support SSL, but SSL was required", WrongSettings, ENCRYPTION),
        ('connection is bad: invalid sslmode value: "foo"', WrongSettings, ENCRYPTION),
    ],
)
def test_what_the_driver_says_is_understood(message: str, kind: type[PlatformError], says: str) -> None:
    said = message.format(prefix='connection to server at "ssl-password-db.internal" (10.0.0.1), port 5432 failed:')
    fault = database_error(OperationalError("SELECT 1", {}, psycopg.OperationalError(said)))
    assert isinstance(fault, kind)
    assert says in fault.detail
