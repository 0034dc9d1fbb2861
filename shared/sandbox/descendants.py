"""Ends whatever processes of a run are left, also those that have left its group and session.

A process that is the kernel's *child subreaper* becomes the parent of every orphan below it. What a run started can
hence be found by its parent: kill the children, take over theirs, and again, until there are none.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

# What the kernel sends to a server whose guard is gone, so that it ends its runs itself.
GUARD_DIED = signal.SIGUSR1

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# What asks a worker to stop. Sent to all processes of a service or of a terminal, it is for the worker alone: what
# becomes of its runs is its decision, and it ends them by SIGKILL.
_FOR_THE_OWNER = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_ROUNDS = 200
_ROUND_SECONDS = 0.005


def adopt_orphans() -> None:
    """Become the parent of every orphan among the descendants of the calling process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def leave_stopping_to_the_owner() -> None:
    """Ignore the signals that ask to stop, in the calling process and in all that it forks."""
    for number in _FOR_THE_OWNER:
        signal.signal(number, signal.SIG_IGN)


def die_with_parent(number: signal.Signals, *, parent: int) -> bool:
    """Have the kernel send the signal when the parent ends; False when it has ended already and none will come."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    return os.getppid() == parent


def kill_group(pid: int) -> None:
    """Kill the process group of that number, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_child(pid: int) -> None:
    """Kill a child that nobody has reaped, which may have left its process group, and that group."""
    kill_group(pid)
    os.kill(pid, signal.SIGKILL)


def kill_children(*, but: Collection[int] = ()) -> None:
    """Kill and reap every child of the calling process, and what becomes its child by that.

    Returns after a second at the latest: a process that waits for a broken disk dies when the disk answers.
    """
    for _ in range(_ROUNDS):
        found = [pid for pid in _children() if pid not in but]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(_ROUND_SECONDS)


def _children() -> Iterator[int]:
    # Not every kernel has /proc/PID/task/TID/children.
    own = os.getpid()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name may hold anything, blanks and brackets too; after it come the state and the parent.
            _, parent, *_ = stat.read_bytes().rpartition(b")")[2].split()
            if int(parent) == own:
                yield int(stat.parent.name)
