"""What computations do that misbehave, each asked for by a random state of the request."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from worker.handover import LINES_FILE
from worker.telling import Telling

MIB = 2**20
# The process ids of what a computation started, and the lines of the log that tell them.
_PIDS_FILE = "started"
STARTED = "started "


def crash(_folder: Path) -> None:
    """Die as a library in C does that writes where it must not."""
    os.kill(os.getpid(), signal.SIGSEGV)


def be_killed(_folder: Path) -> None:
    """Die as by the kernel when the machine is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def want_memory(_folder: Path) -> None:
    """Ask for more memory than any limit gives."""
    pieces = []
    while True:
        pieces.append(bytearray(64 * MIB))


def raise_memory_error(_folder: Path) -> None:
    """Fail as a library does that finds by itself that there is too little."""
    raise MemoryError


def ignore_signals(folder: Path) -> NoReturn:
    """Fit for ever, and let nobody interrupt that."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    Telling(folder).show("fitting", 30)
    while True:
        # One call into C that takes long, again and again.
        sum(range(10**8))


def leave_processes(folder: Path) -> None:
    """Start processes that try to outlive this one: a child, and one in a session of its own without a parent."""
    if os.fork() == 0:
        _outlive(folder)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _outlive(folder)
        os._exit(0)
    while len(pids := _started(folder)) < 2:
        time.sleep(0.01)
    # The log of the job tells them: it can write nowhere else.
    with (folder / LINES_FILE).open("a") as lines:
        lines.writelines(f"{STARTED}{pid}\n" for pid in pids)


def fill_the_log(folder: Path) -> None:
    """Print far more than anybody wants to keep, and say far too much to people."""
    line = "x" * 1023
    for _ in range(64 * 1024):
        print(line, file=sys.stderr)  # noqa: T201 - it is about what is printed
    with (folder / LINES_FILE).open("a") as lines:
        lines.writelines(f"line {number}\n" for number in range(2000))
        lines.flush()
        # As long as it takes to read them.
        time.sleep(0.5)
        lines.writelines(f"line {number} {line}\n" for number in range(20_000))


ACTS: dict[int, Callable[[Path], None]] = {
    9001: crash,
    9002: be_killed,
    9003: want_memory,
    9004: raise_memory_error,
    9005: ignore_signals,
    9006: leave_processes,
    9007: fill_the_log,
}


def state_of(act: Callable[[Path], None]) -> int:
    """The random state that asks for it."""
    return next(state for state, each in ACTS.items() if each is act)


def _outlive(folder: Path) -> NoReturn:
    with (folder / _PIDS_FILE).open("a") as started:
        started.write(f"{os.getpid()}\n")
    while True:
        time.sleep(1)


def _started(folder: Path) -> list[str]:
    path = folder / _PIDS_FILE
    return path.read_text().split() if path.exists() else []
