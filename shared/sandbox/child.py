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

# The kernel sends this to a server whose guard has died, which then ends its runs itself.
GUARD_DIED = signal.SIGUSR1


class Terms(NamedTuple):
    """The folder of a process, its limits, and what it may reach besides its folder."""

    folder: Path
    limits: ProcessLimits
    reach: Reach


def become_child(entry: ChildFunction, terms: Terms, *, server: int, given: int | None, output: int) -> NoReturn:
    """Be the process: call `entry`, and exit with a code that says how it ended.

    Standard input is the descriptor `given`, if there is one; what is printed goes to the descriptor `output`.
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
    """Separate the forked process from its server: group, descriptors, folder, limits, reach."""
    os.setpgid(0, 0)
    if not die_with_parent(signal.SIGKILL, parent=server):
        os._exit(FAILED)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, GUARD_DIED):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY) if given is None else given, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    # Among these are sockets of the server and of other runs, whose owners notice a death by the closed socket.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    # Numba refuses to compile a function if it cannot cache the machine code in some folder.
    os.environ.update(dict.fromkeys(("TMPDIR", "XDG_CACHE_HOME"), str(terms.folder)))
    os.chdir(terms.folder)
    isolate(terms.folder, terms.reach)
    apply(terms.limits)
