"""What a forked process does, from its fork to its end."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from shared.home import NO_ROOM
from shared.processes import die_with_parent
from shared.sandbox.isolation import Reach, isolate
from shared.sandbox.limits import DISK_FULL, FAILED, OUT_OF_MEMORY, SYSTEM_FAULT, ProcessLimits, apply

ChildFunction = Callable[[Path], None]

# What the kernel sends to a server whose guard is gone, so that it ends its runs itself.
GUARD_DIED = signal.SIGUSR1


class Terms(NamedTuple):
    """The folder of a process, what it may use, and what it may reach beside its folder."""

    folder: Path
    limits: ProcessLimits
    reach: Reach


def become_child(entry: ChildFunction, terms: Terms, *, server: int, given: int | None, output: int) -> NoReturn:
    """Call `entry` in a process of its own, and end with a telling code.

    It reads from the descriptor `given`, where there is one, and prints to the descriptor `output`.
    """
    code = FAILED
    try:
        _enter(terms, server=server, given=given, output=output)
        entry(terms.folder)
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    except BaseException as error:  # noqa: BLE001 - nothing may get past this point into the server's own loop
        if isinstance(error, OSError) and error.errno:
            code = DISK_FULL if error.errno in NO_ROOM else SYSTEM_FAULT
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _enter(terms: Terms, *, server: int, given: int | None, output: int) -> None:
    """Make the forked process one of its own: group, descriptors, folder, limits, reach."""
    os.setpgid(0, 0)
    if not die_with_parent(signal.SIGKILL, parent=server):
        os._exit(FAILED)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, GUARD_DIED):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY) if given is None else given, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Sockets of the server and of other runs among them: held open, they would hide a death from its owner.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    # Where libraries keep what they would make again: Numba refuses a function whose machine code it can keep nowhere.
    os.environ.update(dict.fromkeys(("TMPDIR", "XDG_CACHE_HOME"), str(terms.folder)))
    os.chdir(terms.folder)
    isolate(terms.folder, terms.reach)
    apply(terms.limits)
