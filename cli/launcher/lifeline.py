"""Ties a process to the one that started it: when that one ends, however it ends, the kernel sends a signal.

Linux only (`PR_SET_PDEATHSIG`); elsewhere `cli.launcher.orphan_guard` does what it can.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1

# Loaded here because a process between fork and exec should not load libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def follow(parent: int, number: int) -> None:
    """Have the kernel send signal `number` to this process when its parent ends; `parent` is that process's id.

    The kernel watches the *thread* that forked, so parts are started from the main thread only.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        # It ended before the kernel was told, so no signal will come.
        os.kill(os.getpid(), number)
