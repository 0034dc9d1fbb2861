"""seccomp: a filter of system calls that a process puts on itself for good.

This one forbids sockets, and what Landlock does not cover: changing modes, owners and attributes of files, changing
limits and priorities of other processes, and using shared memory of the system that stays after the process.

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
# Instructions: load a word of the data; compare it with a constant (equal, at least); keep some of its bits; return.
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
# Calls of the x32 interface have numbers from here on.
_X32 = 0x40000000
_KIND_OF_SOCKET = 0xF
# What io_uring does for a process does not pass the filter.
_IO_URING = (425, 426, 427)


class _Machine(NamedTuple):
    audit: int
    socket: int
    # chmod, fchmodat; chown, lchown, fchownat; setxattr, lsetxattr, removexattr, lremovexattr. Calls that take an open
    # file instead of a name are not needed here: only files of its own can be open for that.
    of_files: tuple[int, ...]
    # shmget, msgget, semget; add_key, request_key, keyctl: what these make or find outlives the process.
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
    """Whether this kernel has such filters, and the machine is one that this module knows."""
    # Without a program, a kernel that has filters complains about the address of the program.
    return platform.machine() in _MACHINES and (
        control(PR_SET_SECCOMP, _MODE_FILTER, 0) < 0 and ctypes.get_errno() == errno.EFAULT
    )


def restrict(*, but_tcp: bool) -> None:
    """Forbid this process, and all that it starts, to make sockets (with `but_tcp`, all but those of TCP), and the rest
    that this module is about. Pairs of sockets, which lead nowhere else, can still be made.

    Raises:
        OSError: when the kernel refuses.
    """
    steps = _steps(_MACHINES[platform.machine()], but_tcp=but_tcp)
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    for result in (control(PR_SET_NO_NEW_PRIVS, 1), control(PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))):
        if result < 0:
            raise OSError(ctypes.get_errno(), "no filter of system calls")


def _steps(machine: _Machine, *, but_tcp: bool) -> list[_Step]:
    """The program. The two numbers of a comparison say how many steps to skip if it is true, and if it is false."""
    refuse, allow = _Step(_RETURN, 0, 0, _ERROR | errno.EACCES), _Step(_RETURN, 0, 0, _ALLOW)
    # Everything is refused to a program of another machine, whose calls have other numbers.
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
    # Allowed only for the process itself, which is number 0: not for other processes, a group or a user.
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
