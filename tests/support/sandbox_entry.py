"""What the sandbox tests have done in a computing process; the order is a word in the file `order`."""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    """Do as `folder/order` says."""
    _ORDERS[(folder / "order").read_text()](folder)


def _answer(folder: Path) -> None:
    (folder / "answer").write_text(str(Path.cwd()))


def _raise(_folder: Path) -> None:
    raise ZeroDivisionError


def _eat(_folder: Path) -> None:
    kept = []
    while True:
        kept.append(bytearray(16 * 2**20))


def _ignore(folder: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    started = subprocess.Popen(["sleep", "60"])
    (folder / "started.new").write_text(str(started.pid))
    (folder / "started.new").rename(folder / "started")
    time.sleep(60)


def _stick(folder: Path) -> None:
    """Stand still in C with every signal blocked; the lock of the interpreter is held, so that no thread runs."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    (folder / "started").touch()
    ctypes.PyDLL(None).sleep(60)


def _move(folder: Path) -> None:
    """Go over to the process group of the server."""
    os.setpgid(0, os.getpgid(os.getppid()))
    (folder / "started").touch()
    time.sleep(60)


def _look(folder: Path) -> None:
    descriptors = []
    for number in range(64):
        try:
            os.fstat(number)
        except OSError:
            continue
        descriptors.append(number)
    environment = Path("/proc/self/environ")
    inherited = environment.read_text() if environment.exists() else ""
    arguments = " ".join(sys.orig_argv)
    (folder / "seen").write_text(f"{dict(os.environ)} {inherited} {arguments} descriptors {descriptors}")


def _wait(_folder: Path) -> None:
    time.sleep(60)


def _leave(folder: Path) -> None:
    """Start a process in a session of its own, by way of one that ends at once, and end."""
    _start_apart(folder)


def _leave_and_wait(folder: Path) -> None:
    _start_apart(folder)
    time.sleep(60)


def _start_apart(folder: Path) -> None:
    if os.fork() == 0:
        os.setsid()
        # The second is a child of this one, which stays: a kill of the run's group reaches neither.
        other = subprocess.Popen(["sleep", "60"], start_new_session=True)
        (folder / "started.new").write_text(f"{os.getpid()} {other.pid}")
        (folder / "started.new").rename(folder / "started")
        time.sleep(60)
        os._exit(0)
    while not (folder / "started").exists():
        time.sleep(0.01)


def _print(_folder: Path) -> None:
    for _ in range(256):
        os.write(1, b"x" * 2**18)
    os.write(2, b"the end")
    raise SystemExit(3)


def _fill(_folder: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _work(_folder: Path) -> None:
    kept = bytearray(os.urandom(2**20) * 64)
    until = time.process_time() + 0.3
    while time.process_time() < until:
        kept[0] = (kept[0] + 1) % 256


def _work_and_raise(folder: Path) -> None:
    _work(folder)
    raise ZeroDivisionError


_ORDERS = {
    "answer": _answer,
    "raise": _raise,
    "eat": _eat,
    "ignore": _ignore,
    "stick": _stick,
    "move": _move,
    "look": _look,
    "wait": _wait,
    "leave": _leave,
    "leave and wait": _leave_and_wait,
    "print": _print,
    "fill": _fill,
    "work": _work,
    "work and raise": _work_and_raise,
}
