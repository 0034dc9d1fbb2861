"""What the tests of isolation have tried in a computing process; what came of it is in the file `came`."""

import ctypes
import json
import mimetypes
import os
import platform
import resource
import socket
import subprocess
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    """Try what `folder/tries` says: each a name and what the act is about."""
    came = {}
    for name, about in json.loads((folder / "tries").read_text()):
        try:
            came[f"{name} {about}"] = _ACTS[name](about)
        except OSError as error:
            came[f"{name} {about}"] = type(error).__name__
    (folder / "came").write_text(json.dumps(came))


def _write(path: str) -> str:
    Path(path).write_text("x")
    return "done"


def _remove(path: str) -> str:
    Path(path).unlink()
    return "done"


def _connect(address: str) -> str:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5):
        return "done"


def _serve(_about: str) -> str:
    with socket.create_server(("127.0.0.1", 0)):
        return "done"


def _unix(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        return "done"


def _datagram(_about: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
        return "done"


def _ring(_about: str) -> str:
    """Set up what does system calls on behalf of a process, past any filter."""
    return _numbered(425, 8, ctypes.create_string_buffer(120))


def _other_numbers(_about: str) -> str:
    """Ask for a socket by the numbers of the other interface of x86."""
    if platform.machine() != "x86_64":
        raise PermissionError
    # Where a kernel has none of these, they fail in another way once they have passed the filter.
    return _numbered(0x40000000 + 41, 2, 1, 0)


def _newer(number: int) -> str:
    """Make a call that changes mode or attributes of a file by its name, and that libraries do not have yet."""
    at_the_folder = -100
    return _numbered(number, at_the_folder, b"tries", 0o600, 0)


def _numbered(*numbers: Any) -> str:
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(*numbers) < 0:
        raise OSError(ctypes.get_errno(), "no such call")
    return "done"


def _signal(pid: str) -> str:
    os.kill(int(pid), 0)
    return "done"


def _call(numbers: str) -> str:
    """Make a system call of this name, of those that Python has no function for, with a key that others may have."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, numbers)(0x1234, 4096, 0o1600) < 0:
        raise OSError(ctypes.get_errno(), numbers)
    return "done"


def _prioritise(which: int, who: int) -> str:
    os.setpriority(which, who, os.getpriority(os.PRIO_PROCESS, 0))
    return "done"


def _change_mode(path: str) -> str:
    """Change that of a file of its own."""
    Path(path).write_text("x")
    with Path(path).open() as file:
        os.fchmod(file.fileno(), 0o600)
    return "done"


def _pair(_about: str) -> str:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"done")
        return other.recv(4).decode()


def _threads(_about: str) -> int:
    """Work in a pool of threads, as joblib's are."""
    with ThreadPool(2) as pool:
        return sum(pool.map(abs, [-1, -2]))


def _run(program: str) -> str:
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"status {done.returncode}"


_ACTS: dict[str, Callable[[str], Any]] = {
    "read": lambda path: Path(path).read_text(errors="replace")[:20],
    "list": lambda path: [str(each) for each in Path(path).iterdir()][:1],
    "write": _write,
    "remove": _remove,
    "connect": _connect,
    "serve": _serve,
    "unix": _unix,
    "datagram": _datagram,
    "ring": _ring,
    "other numbers": _other_numbers,
    "signal": _signal,
    "newer call": lambda number: _newer(int(number)),
    "mode": lambda path: Path(path).chmod(0o400),
    "mode of an open file": _change_mode,
    "owner": lambda path: os.lchown(path, os.getuid(), os.getgid()),
    "attribute": lambda path: os.setxattr(path, "user.seen", b"yes"),
    "limits": lambda pid: resource.prlimit(int(pid), resource.RLIMIT_NOFILE)[1] > 0,
    "priority of a process": lambda pid: _prioritise(os.PRIO_PROCESS, int(pid)),
    "priority of a user": lambda user: _prioritise(os.PRIO_USER, int(user)),
    "call": _call,
    "pair": _pair,
    "threads": _threads,
    "run": _run,
    "guess": lambda name: mimetypes.guess_type(name)[0],
    "import": lambda name: __import__(name).__name__,
}
