"""Ends processes together with those that started them.

A process can ask the kernel for a signal when its parent ends, and a process group is killed as one. A process that is
the kernel's *child subreaper* becomes the parent of every orphan below it. So a subreaper finds every process below it,
also one that has left its group and session: it kills its children, becomes the parent of theirs, and repeats that
until there are none.

The signal and the subreaper exist on Linux only.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 200
_ROUND_SECONDS = 0.005

# What `mallopt` of glibc calls its settings.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_SOME_PAGES, _MANY_PAGES = 64 * 2**10, 32 * 2**20

# Loaded here, because a process must not load libraries between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@contextmanager
def giving_back_at_once() -> Iterator[None]:
    """Have this process give memory of more than some pages back to the system as soon as it is free.

    That costs time, but what was reserved and hardly used leaves no holes in the address space. After the block, memory
    is kept for the next use, as it usually is.
    """
    _set_malloc(_M_MMAP_THRESHOLD, _SOME_PAGES)
    try:
        yield
    finally:
        _set_malloc(_M_MMAP_THRESHOLD, _MANY_PAGES)
        _set_malloc(_M_TRIM_THRESHOLD, 2 * _MANY_PAGES)


def take_memory_from_one_place() -> None:
    """Have all threads of this process, for good, take memory from one arena instead of reserving some for each.

    What is reserved counts against a limit of address space, and what one thread gave back is of no use to another.
    """
    _set_malloc(_M_ARENA_MAX, 1)


def die_with_parent(number: signal.Signals, *, parent: int) -> bool:
    """Have the kernel send the signal to the calling process when its parent ends; `parent` is that process's id.

    False when the parent has ended already, so that no signal will come. The kernel watches the *thread* that forked:
    one that ends before its process counts as the end.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    return os.getppid() == parent


def follow_parent(number: signal.Signals, *, parent: int) -> None:
    """As `die_with_parent`, and the signal comes at once when the parent has ended already."""
    if not die_with_parent(number, parent=parent):
        os.kill(os.getpid(), number)


def adopt_orphans() -> None:
    """Become the parent of every orphan among the descendants of the calling process."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_group(group: int) -> None:
    """Kill the process group of that number, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


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


def _set_malloc(what: int, value: int) -> None:
    # Other libraries than glibc have no such settings.
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(what, value)
