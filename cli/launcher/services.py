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
from shared.settings import PREFIX, Settings

# The setting with the names that Flower may be asked by.
_NAMES = f"{PREFIX}ALLOWED_HOSTS"


def environment_of(settings: Settings, addresses: Addresses, *, redis_url: str) -> dict[str, str]:
    """The environment of the parts: the launcher's own, and what was decided at this start."""
    return {
        # The credential of whoever starts it is none of the business of what it starts.
        **{name: value for name, value in os.environ.items() if name not in {FILE_VARIABLE, KEY_VARIABLE}},
        f"{PREFIX}HOME": str(settings.home),
        f"{PREFIX}PORT": str(addresses.port),
        f"{PREFIX}FLOWER_PORT": str(addresses.flower_port),
        f"{PREFIX}REDIS_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
    }


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
    crew.add(part, ready=partial(_sees_worker, addresses.url))


def start_flower(crew: Crew, settings: Settings, environment: dict[str, str], addresses: Addresses) -> None:
    """Start Flower, read-only: jobs are cancelled through the API, which records it."""
    folder = settings.home / "flower"
    folder.mkdir(exist_ok=True)
    command = flower_command(addresses.flower_port, folder)
    # The only secret of the platform that it needs is the URL of Redis.
    kept = {name: value for name, value in environment.items() if not name.startswith(PREFIX) or name == _NAMES}
    own = {**kept, "CELERY_BROKER_URL": environment[f"{PREFIX}REDIS_URL"]}
    if settings.flower_password_file is not None:
        # It runs in another folder.
        own[f"{PREFIX}FLOWER_PASSWORD_FILE"] = str(settings.flower_password_file.absolute())
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


def _sees_worker(url: str) -> bool:
    reply = ask(url, "/readyz")
    return reply is not None and reply.document.get("status") == "ok"


def _python(module: str, *arguments: str) -> list[str]:
    # -P: the parts run in the data folder, and no file there may be imported as code of the platform.
    return [sys.executable, "-P", "-m", module, *arguments]
