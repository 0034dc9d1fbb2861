"""A reader that ends as the first line of a file says, so many times: `kill 2`, `abort 1`."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from shared.tables import inspection


def main(folder: Path) -> None:
    """Do what the file asks for, else read it."""
    path = Path(json.loads((folder / "request.json").read_text())["path"])
    act, _, times = path.read_text(errors="replace").partition("\n")[0].partition(" ")
    if act in _ACTS and _is_due(folder / "count", int(times)):
        _ACTS[act]()
    inspection.main(folder)


def _is_due(counted: Path, times: int) -> bool:
    """Whether it did not happen so often yet; counts in a file, as every process meets it once."""
    with counted.open("a") as file:
        file.write("x")
    return counted.stat().st_size <= times


def _raise() -> None:
    raise ZeroDivisionError


def _lose() -> None:
    raise FileNotFoundError(2, os.strerror(2))


def _lose_server() -> None:
    """Have the server killed by who watches for the name of this file: nobody here can do it."""
    Path(f"server-{os.getppid()}.kill").touch()
    time.sleep(60)


_ACTS: dict[str, Callable[[], None]] = {
    "abort": os.abort,
    "raise": _raise,
    "lose": _lose,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "cpu": lambda: os.kill(os.getpid(), signal.SIGXCPU),
    "server": _lose_server,
}
