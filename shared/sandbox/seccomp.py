"""seccomp: a filter of system calls that a process lays over itself for good.

This one leaves it without sockets, and without what Landlock does not see: modes, owners and attributes of files
elsewhere, limits and priorities of other processes, and memory of the system that stays after its end.

The filter is a program for the kernel's packet filter (`linux/filter.h`), which reads a `struct seccomp_data`.
"""

import ctypes
import errno
import platform
import socket
from typing import NamedTuple

from shared.sandbox.kernel import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, control

_MODE_FILTER = 2
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
# Load a word of the data; compare it with a constant; keep some of its bits; end.
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
# Calls of the other interface of x86, which have numbers of their own.
_X32 = 0x40000000
_KIND_OF_SOCKET = 0xF
# What io_uring does on behalf of a process passes no filter.
_IO_URING = (425, 426, 427)


class _Machine(NamedTuple):
    audit: int
    socket: int
    # chmod, fchmodat; chown, lchown, fchownat; setxattr, lsetxattr, removexattr, lremovexattr. What takes an open file
    # instead of a name is not among them: only its own can be open for that.
    of_files: tuple[int, ...]
    # shmget, msgget, semget; add_key, request_key, keyctl: what these make or find belongs to no process.
    of_systems: tuple[int, ...]
    prlimit: int
    setpriority: int


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        41,
        of_files=(90, 268, 92, 94, 260, 188, 189, 197, 198),
        of_systems=(29, 68, 64, 248, 249, 250),
        prlimit=302,
        setpriority=141,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        198,
        of_files=(53, 54, 5, 6, 14, 15),
        of_systems=(194, 186, 190, 217, 218, 219),
        prlimit=261,
        setpriority=140,
    ),
}
# fchmodat2, setxattrat and removexattrat have the same numbers on all machines.
_NEWER_OF_FILES = (452, 463, 466)


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("met", ctypes.c_uint8),
        ("else_", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def is_there() -> bool:
    """Whether this kernel takes a filter, for a machine that this module knows."""
    # Asked for without a program, it says that the address is a bad one, or that it knows nothing of this.
    return platform.machine() in _MACHINES and (
        control(PR_SET_SECCOMP, _MODE_FILTER, 0) < 0 and ctypes.get_errno() == errno.EFAULT
    )


def restrict(*, but_tcp: bool) -> None:
    """Have this process from now on, and all that it starts, make no socket; with `but_tcp`, those of TCP.

    Nor do they get at the rest that this module is about. Pairs of sockets, which lead to nobody else, can be made.

    Raises:
        OSError: when the kernel refuses.
    """
    steps = _steps(_MACHINES[platform.machine()], but_tcp=but_tcp)
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    for result in (control(PR_SET_NO_NEW_PRIVS, 1), control(PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))):
        if result < 0:
            raise OSError(ctypes.get_errno(), "no filter of system calls")


def _steps(machine: _Machine, *, but_tcp: bool) -> list[_Step]:
    """The program: numbers after a comparison say how many steps to pass over, if it is met and if it is not."""
    refuse, allow = _Step(_RETURN, 0, 0, _ERROR | errno.EACCES), _Step(_RETURN, 0, 0, _ALLOW)
    # A program for another machine, by whose numbers nothing could be told, is refused everything.
    steps = [
        _Step(_LOAD, 0, 0, _MACHINE),
        _Step(_EQUAL, 1, 0, machine.audit),
        refuse,
        _Step(_LOAD, 0, 0, _NUMBER),
        _Step(_AT_LEAST, 0, 1, _X32),
        refuse,
    ]
    for number in (*_IO_URING, *_NEWER_OF_FILES, *machine.of_files, *machine.of_systems):
        steps += [_Step(_EQUAL, 0, 1, number), refuse]
    # Of the process itself, which has the number 0 there: of none of others, of a group or of a user.
    steps += [_Step(_EQUAL, 0, 4, machine.prlimit), *_is_zero(_FIRST_ARGUMENT), allow]
    steps += [_Step(_EQUAL, 0, 7, machine.setpriority), *_is_zero(_FIRST_ARGUMENT), *_is_zero(_SECOND_ARGUMENT), allow]
    steps += [_Step(_EQUAL, 1, 0, machine.socket), allow]
    if but_tcp:
        steps += [
            _Step(_LOAD, 0, 0, _FIRST_ARGUMENT),
            _Step(_EQUAL, 2, 0, socket.AF_INET),
            _Step(_EQUAL, 1, 0, socket.AF_INET6),
            refuse,
            _Step(_LOAD, 0, 0, _SECOND_ARGUMENT),
            _Step(_AND, 0, 0, _KIND_OF_SOCKET),
            _Step(_EQUAL, 0, 1, socket.SOCK_STREAM),
            allow,
        ]
    return [*steps, refuse]


def _is_zero(argument: int) -> list[_Step]:
    """Refuse the call unless its argument is 0."""
    return [_Step(_LOAD, 0, 0, argument), _Step(_EQUAL, 1, 0, 0), _Step(_RETURN, 0, 0, _ERROR | errno.EACCES)]
