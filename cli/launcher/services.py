"""How each part is started: its command, its environment, and how to see that it is ready."""

import os
import sys
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path

from cli.client.keys import FILE_VARIABLE, KEY_VARIABLE
from cli.client.probe import ask
from cli.launcher.addresses import LOOPBACK, Addresses
from cli.launcher.crew import Crew
from cli.launcher.errors import UNAVAILABLE, WRONG_SETTINGS, StartFailed
from cli.launcher.part import Part
from cli.render.screen import tick
from shared.errors import WrongSettings
from shared.home import DATABASE_URL_FILE
from shared.secret_files import ENDING
from shared.settings import PREFIX, Settings

_REDIS_FILE = f"{PREFIX}REDIS_URL_FILE"
# The settings that Flower gets.
_OF_FLOWER = {_REDIS_FILE, *(f"{PREFIX}{name}" for name in ("REDIS_URL", "ALLOWED_HOSTS", "FLOWER_PASSWORD_FILE"))}
_OF_CALLER = {FILE_VARIABLE, KEY_VARIABLE}
_DATABASE = f"{PREFIX}DATABASE_URL"
_OF_OWNER = {f"{PREFIX}DATABASE_OWNER_URL", f"{PREFIX}DATABASE_OWNER_URL{ENDING}"}


def environment_of(settings: Settings, addresses: Addresses, *, redis_url_file: Path | None) -> dict[str, str]:
    """The environment of the parts: the launcher's own, and what was decided at this start.

    The file has the URL of the embedded server, if there is one: the password in it is in nobody's environment.
    """
    return {
        # The credential of whoever starts it is none of the business of what it starts.
        **{name: _from_here(name, value) for name, value in os.environ.items() if name not in _OF_CALLER},
        **({} if redis_url_file is None else {_REDIS_FILE: str(redis_url_file)}),
        f"{PREFIX}HOME": str(settings.home),
        f"{PREFIX}PORT": str(addresses.port),
        f"{PREFIX}FLOWER_PORT": str(addresses.flower_port),
        "PYTHONUNBUFFERED": "1",
    }


def _from_here(name: str, value: str) -> str:
    """The value of a variable as it is to be for the parts, which run in another folder."""
    names_file = name.upper().startswith(PREFIX) and name.upper().endswith(ENDING)
    return str(Path(value).absolute()) if names_file and value else value


def without_owner(settings: Settings, environment: dict[str, str]) -> dict[str, str]:
    """The environment of the parts that come once tables are there: the account that makes them is not for these."""
    if settings.database_owner_url is None:
        return environment
    made = {} if settings.database_url is not None else {f"{_DATABASE}{ENDING}": str(settings.home / DATABASE_URL_FILE)}
    return {name: value for name, value in environment.items() if name.upper() not in _OF_OWNER} | made


def prepare(crew: Crew, settings: Settings, environment: dict[str, str]) -> None:
    """Have the tables, buckets and the artifact key made.

    Raises:
        WrongSettings: when a setting has to be changed.
        StartFailed: when it fails for another reason.
        StopRequested: when asked to stop meanwhile.
    """
    part = crew.add(Part("Storage", _python("cli.launcher.prepare"), home=settings.home, environment=environment))
    status = crew.finish(part)
    if status == WRONG_SETTINGS:
        raise WrongSettings(part.tail(1)[0])
    if status == UNAVAILABLE:
        raise StartFailed(part.tail(1)[0])
    if status:
        raise StartFailed(crew.failure_report(part))
    crew.remove(part)
    tick(part.name, time.monotonic() - part.started)


def start_api(crew: Crew, settings: Settings, environment: dict[str, str], addresses: Addresses) -> None:
    """Start the API on the port that is held for it, and close this process's side of it."""
    with addresses.listener as listener:
        part = Part(
            "API",
            _python("api.server", "--fd", str(listener.fileno())),
            home=settings.home,
            environment=environment,
            descriptors=[listener.fileno()],
        )
    crew.add(part, ready=partial(_answers, addresses.url, "/readyz"), note=addresses.note)


def start_worker(crew: Crew, settings: Settings, environment: dict[str, str], addresses: Addresses) -> None:
    """Start a worker; it is ready when the API sees it. Ctrl-C does not wait for jobs: they go back to the queue."""
    own = {**environment, f"{PREFIX}DRAIN_SECONDS": "0"}
    part = Part("Worker", _python("worker"), home=settings.home, environment=own)
    crew.add(part, ready=partial(sees_worker, addresses.url))


def start_flower(crew: Crew, settings: Settings, environment: dict[str, str], addresses: Addresses) -> None:
    """Start Flower, read-only: jobs are cancelled through the API, which records it."""
    folder = settings.home / "flower"
    folder.mkdir(exist_ok=True)
    command = flower_command(addresses.flower_port, folder)
    # The only secrets of the platform that it needs are the URL of Redis and its own password.
    own = {name: value for name, value in environment.items() if not name.startswith(PREFIX) or name in _OF_FLOWER}
    part = Part("Flower", command, home=settings.home, environment=own)
    ready = partial(_answers, addresses.flower_url, "/healthcheck")
    crew.add(part, ready=ready, note=addresses.flower_note)


def needs_login(url: str) -> bool:
    """Whether the API asks who sends a request."""
    reply = ask(url, "/me")
    return reply is None or reply.document.get("login_required") is not False


def flower_command(port: int, folder: Path) -> list[str]:
    """The command that starts Flower on a port; it keeps its state in the folder."""
    command = _python("worker.flower", "flower", f"--address={LOOPBACK}", f"--port={port}")
    command += ["--read_only=True", "--inspect_timeout=500", "--max_tasks=10000"]
    return [*command, "--persistent=True", f"--db={folder / 'state'}"]


def _answers(url: str, path: str) -> bool:
    reply = ask(url, path)
    return reply is not None and reply.status == HTTPStatus.OK


def sees_worker(url: str) -> bool:
    """Whether a worker has announced itself to the API, which may lack memory, or one of another pool."""
    reply = ask(url, "/readyz")
    workers = reply.document.get("dependencies", {}).get("workers", {}) if reply is not None else {}
    return workers.get("state") == "ok" or bool(workers.get("pools"))


def _python(module: str, *arguments: str) -> list[str]:
    # -P: the parts run in the data folder, and no file there may be imported as code of the platform.
    return [sys.executable, "-P", "-m", module, *arguments]
