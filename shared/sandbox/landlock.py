"""Landlock: how a process gives up rights to files and TCP for good, without being root.

Numbers and structures are from `linux/landlock.h`; `landlock(7)` tells what each version of the interface added.
"""

import ctypes
import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from shared.sandbox.kernel import PR_SET_NO_NEW_PRIVS, call, control

# The numbers of these calls are the same on all machines.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
# All rights to files that each version knows: thirteen at first. The second adds moving files between folders, the
# third truncating them, and the fifth the control of devices.
_KNOWN_TO_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
# Connecting to abstract sockets of other processes, and sending them signals, unless they share the restriction.
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """The version of the interface that this kernel has; 0 if it has none, or if it is switched off."""
    return max(0, call(_CREATE_RULESET, None, 0, _VERSION))


def restrict(*, reads: Iterable[Path], lists: Iterable[Path], writes: Iterable[Path], connects: Iterable[int]) -> None:
    """Give up, for good, all rights of this process but these: to read below `reads`, to list folders below `lists`, to
    do anything below `writes`, and to connect to the ports `connects`, where the kernel tells ports apart.

    Paths that do not exist are skipped.

    Raises:
        OSError: when the kernel refuses.
    """
    known = version()
    rights = _KNOWN_TO_VERSION[min(known, max(_KNOWN_TO_VERSION))]
    network = _BIND_TCP | _CONNECT_TCP if known >= _NETWORK_SINCE else 0
    scoped = _ABSTRACT_SOCKETS | _SIGNALS if known >= _SCOPES_SINCE else 0
    wanted = _Ruleset(rights, network, scoped)
    with closing(_Descriptor(_ok(call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.sizeof(wanted), 0)))) as ruleset:
        for path in reads:
            _allow(ruleset.number, path, _EXECUTE | _READ_FILE | _READ_DIR)
        for path in lists:
            _allow(ruleset.number, path, _READ_DIR)
        for path in writes:
            _allow(ruleset.number, path, rights)
        for port in connects if network else ():
            rule = _NetPort(_CONNECT_TCP, port)
            _ok(call(_ADD_RULE, ruleset.number, _RULE_NET_PORT, ctypes.byref(rule), 0))
        _ok(control(PR_SET_NO_NEW_PRIVS, 1))
        _ok(call(_RESTRICT_SELF, ruleset.number, 0))


class _Descriptor:
    """A descriptor that is closed at the end."""

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        os.close(self.number)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        # It does not exist, or this process cannot open it anyway.
        return
    with closing(_Descriptor(opened)):
        # The kernel refuses rights of folders for a file.
        rule = _PathBeneath(rights if path.is_dir() else rights & _OF_FILES, opened)
        _ok(call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0))


def _ok(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
