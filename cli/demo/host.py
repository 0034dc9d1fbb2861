"""The platform that the demo is shown on: one that runs, or one that the demo starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.client import requests as calls
from cli.client.address import Address, find_address
from cli.client.connection import Client
from cli.client.errors import CommandFailed, Unreachable
from cli.client.release import release_in
from cli.launcher.published import home_folder, published
from cli.render.output import Output
from cli.render.screen import say

_START_SECONDS = 120
# `mlmini up` kills what has not stopped after 9 s.
_STOP_SECONDS = 20


@dataclass(frozen=True)
class Host:
    """Where the platform is, and its launcher if the demo started it."""

    address: Address
    launcher: subprocess.Popen[bytes] | None = None

    @property
    def flower_url(self) -> str | None:
        """Where Flower is, if this platform has published it."""
        found = published(home_folder())
        return found.get("flower") if found.get("api") == self.address.url else None

    def wait(self) -> None:
        """Keep the platform that the demo started until Ctrl-C.

        Raises:
            CommandFailed: when it ends by itself.
        """
        if self.launcher is not None:
            try:
                status = self.launcher.wait()
            except KeyboardInterrupt:
                return
            raise CommandFailed(f"The platform ended by itself, with status {status}.")


@contextmanager
def host(url: str | None, output: Output) -> Iterator[Host]:
    """A platform that runs; one that is started here is stopped at the end.

    Raises:
        Unreachable: when a platform was named and does not answer.
        CommandFailed: when none can be started.
    """
    address = find_address(url)
    try:
        _greet(address, output)
    except Unreachable:
        if address.named:
            raise
    else:
        yield Host(address)
        return
    with _started() as launcher:
        yield Host(_await_address(launcher, output), launcher)
    say("\nStopped. `make run` starts it again, on the same data.")


@contextmanager
def _started() -> Iterator[subprocess.Popen[bytes]]:
    # A request to stop takes the launcher along, on systems too whose kernel does not do that.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    launcher = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", "up", "--with-parent"],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        # Ctrl-C is for the demo, which then stops the platform in its own way.
        start_new_session=True,
    )
    try:
        yield launcher
    finally:
        launcher.terminate()
        try:
            launcher.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()


def _await_address(launcher: subprocess.Popen[bytes], output: Output) -> Address:
    deadline = time.monotonic() + _START_SECONDS
    while launcher.poll() is None and time.monotonic() < deadline:
        if "api" in published(home_folder()):
            address = find_address(None)
            _greet(address, output)
            return address
        time.sleep(0.1)
    raise CommandFailed("The platform could not be started; what it said is above.")


def _greet(address: Address, output: Output) -> None:
    """Find out whether what answers is the platform.

    Raises:
        Unreachable: when it is not.
    """
    with Client(address, tell=output.tell) as client:
        release = release_in(client.get(calls.version()))
    if release is None:
        raise Unreachable(f"What answers at {address.shown} is not the API of the platform. Is the URL right?")
