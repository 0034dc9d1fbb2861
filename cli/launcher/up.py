"""`mlmini up`: the whole platform on this machine, until it is asked to stop."""

import os
import signal
import time
from importlib.metadata import version

from cli.launcher.addresses import Addresses
from cli.launcher.crew import Crew
from cli.launcher.errors import StartFailed, StopRequested
from cli.launcher.home_lock import claimed
from cli.launcher.published import publish, withdraw
from cli.launcher.services import (
    environment_of,
    needs_login,
    prepare,
    start_api,
    start_flower,
    start_worker,
    without_owner,
)
from cli.launcher.valkey import forget_url, start_valkey
from cli.render.screen import columns, complain, say
from shared.home import PRIVATE
from shared.interruption import Interruption
from shared.processes import follow_parent
from shared.settings import Settings, load_settings


def up(*, with_parent: bool) -> int:
    """Start everything, keep it running, stop it when asked to. Returns the exit status.

    Raises:
        WrongSettings: when a setting is wrong.
        StartFailed: when another launcher has the home folder.
    """
    if with_parent:
        follow_parent(signal.SIGTERM, parent=os.getppid())
    settings = load_settings()
    os.umask(PRIVATE)
    with Interruption() as interruption, claimed(settings.home):
        crew = Crew(interruption)
        # A launcher that was killed has left its own behind.
        withdraw(settings.home)
        try:
            addresses = _start(crew, settings)
            publish(settings.home, {"api": addresses.url, "flower": addresses.flower_url})
            _show(settings, addresses)
            crew.run()
        except StopRequested:
            say()
        except StartFailed as failure:
            complain(f"\nmlmini: {failure}")
            return 1
        finally:
            withdraw(settings.home)
            crew.stop()
            forget_url(settings.home)
    return 0


def _start(crew: Crew, settings: Settings) -> Addresses:
    say(f"ML Mini Platform {version('ml-mini-platform')}")
    began = time.monotonic()
    addresses = Addresses.find(settings)
    redis_url_file = None if "redis_url" in settings.model_fields_set else start_valkey(crew, settings)
    environment = environment_of(settings, addresses, redis_url_file=redis_url_file)
    # Flower needs no database, so it loads on another core while that is prepared.
    start_flower(crew, settings, environment, addresses)
    prepare(crew, settings, environment)
    environment = without_owner(settings, environment)
    start_api(crew, settings, environment, addresses)
    start_worker(crew, settings, environment, addresses)
    crew.wait_ready()
    say(f"\nReady in {time.monotonic() - began:.1f} s.\n")
    return addresses


def login_line(settings: Settings, *, needed: bool) -> str:
    """Who has to log in, and what changes that where nobody has to."""
    if not needed:
        return "nobody has to: mlmini admin create changes that"
    if settings.flower_password_file is None:
        return "needed, but for Flower: MLMINI_FLOWER_PASSWORD_FILE changes that"
    return "needed"


def _show(settings: Settings, addresses: Addresses) -> None:
    columns(
        [
            ("Swagger UI", f"{addresses.url}/docs"),
            ("Readiness", f"{addresses.url}/readyz"),
            ("Jobs", f"{addresses.url}/jobs"),
            ("Flower", addresses.flower_url),
        ]
    )
    say()
    columns(
        [
            ("Data", str(settings.home)),
            ("Logs", str(settings.home / "logs")),
            ("Login", login_line(settings, needed=needs_login(addresses.url))),
            ("Stop", f"Ctrl-C, or: kill {os.getpid()}"),
        ]
    )
    say()
