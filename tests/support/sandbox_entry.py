"""What the sandbox tests have done in a computing process; the order is a word in the file `order`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    """Do as `folder/order` says."""
    {"answer": _answer, "raise": _raise, "eat": _eat, "ignore": _ignore, "look": _look, "wait": _wait}[
        (folder / "order").read_text()
    ](folder)


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
