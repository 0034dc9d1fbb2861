"""System calls of Linux that Python has no function for."""

import ctypes
from typing import Any

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22

_LIBRARY = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: Any) -> int:
    """Make a system call; -1 means an error, which `ctypes.get_errno` tells."""
    return int(_LIBRARY.syscall(ctypes.c_long(number), *(_as_long(each) for each in arguments)))


def control(option: int, *arguments: Any) -> int:
    """Change this process by `prctl(2)`; -1 means an error, which `ctypes.get_errno` tells."""
    given = [_as_long(each) for each in arguments]
    return int(_LIBRARY.prctl(option, *given, *[ctypes.c_long(0)] * (4 - len(given))))


def _as_long(argument: Any) -> Any:
    # ctypes passes an int as 32 bits, and leaves the rest of the register undefined.
    return ctypes.c_long(argument) if isinstance(argument, int) else argument
