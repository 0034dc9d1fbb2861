"""Named places in the code where a test makes this process fail. Without MLMINI_FAIL nothing happens there.

    MLMINI_FAIL="put.half=kill9; commit.after=raise:outage@/run/arm-7"

A fault is written as `point=action`; some actions take `:argument`. A fault without a file happens each time that its
point is reached. A fault with `@file` happens once for each time that a test creates the file: all processes that reach
the point try to remove the file, and the one that removes it fails. So a test can arm a fault in processes that already
run, and sees that it happened when the file is gone.

    kill9           SIGKILL to this process
    stop            SIGSTOP to this process, until somebody sends it SIGCONT
    sleep:SECONDS   this thread sleeps
    raise:WHAT      outage (of the database), store (an outage of the store), memory (MemoryError), error (RuntimeError)
    enospc          the error of a full disk
"""

import errno
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.errors import DatabaseUnavailable, StoreUnavailable, WrongSettings

VARIABLE = "MLMINI_FAIL"

# Every point: those that an accepted job passes, in their order, and those of the upkeep.
POINTS = (
    "accept.before_commit",  # the API has inserted the job
    "accept.after_commit",  # the job is kept, the client does not know it yet
    "task.received",  # the worker has the message, which Redis may still hold
    "claim.after",  # the job is this worker's
    "fetch.half",  # a part of the table is here
    "fit.running",  # the computing process is in its fit, or predicts
    "put.before",  # model or copy are ready to be stored
    "put.half",  # the store has a part of it
    "put.after",  # the object is stored, no row names it
    "commit.before",  # nothing is written of the end
    "commit.inside",  # all is written, nothing is committed
    "commit.after",  # committed, the supervisor does not know it yet
    "discard.before_remove",  # a deletion is committed, and an object of it is still there
    "collect.before_delete",  # a janitor has the right to delete an object, and has not done it
    "collect.at_delete",  # it has seen that the right still holds, and comes to the store
    "rotate.drafted",  # other artifact keys are written beside the file that has them
    "rotate.keyed",  # the new key is there, and has sealed nothing
    "rotate.batch",  # some seals are made anew
    "rotate.sealed",  # all are, and the record does not tell
)

_RAISED: dict[str, type[Exception]] = {
    "outage": DatabaseUnavailable,
    "store": StoreUnavailable,
    "memory": MemoryError,
    "error": RuntimeError,
}


@dataclass(frozen=True)
class Fault:
    """What happens at a point."""

    action: str
    argument: str = ""
    file: Path | None = None

    def happen(self) -> None:
        """Do it, unless it waits for a file that is not there."""
        if self.file is not None:
            try:
                self.file.unlink()
            except FileNotFoundError:
                return
        match self.action:
            case "kill9":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                # Sent to this thread: if another one took the signal, this one would go on for a moment.
                signal.raise_signal(signal.SIGSTOP)
            case "sleep":
                time.sleep(float(self.argument))
            case "raise":
                raise _RAISED[self.argument or "error"]("A fault that was asked for.")
            case "enospc":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_faults(text: str) -> dict[str, tuple[Fault, ...]]:
    """The faults of each point, as MLMINI_FAIL names them.

    Raises:
        WrongSettings: naming what is wrong; a fault that never happens would make a test say nothing.
    """
    found: dict[str, tuple[Fault, ...]] = {}
    for each in filter(None, (part.strip() for part in text.split(";"))):
        point, _, rest = each.partition("=")
        what, _, file = rest.partition("@")
        action, _, argument = what.partition(":")
        if point not in POINTS or not _is_action(action, argument):
            raise WrongSettings(f"{VARIABLE}: '{each}' is not a fault; it is written as point=action:argument@file.")
        found[point] = (*found.get(point, ()), Fault(action, argument, Path(file) if file else None))
    return found


def fail_point(name: str) -> None:
    """A place where a fault may be asked for."""
    for fault in _asked_for().get(name, ()):
        fault.happen()


@cache
def _asked_for() -> Mapping[str, tuple[Fault, ...]]:
    return read_faults(os.environ.get(VARIABLE, ""))


def _is_action(action: str, argument: str) -> bool:
    match action:
        case "kill9" | "stop" | "enospc":
            return argument == ""
        case "sleep":
            return argument.replace(".", "", 1).isdigit()
        case "raise":
            return argument in {"", *_RAISED}
    return False
