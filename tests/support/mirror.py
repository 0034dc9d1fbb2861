"""Tells what it is surrounded by, and ends as it is told: `python -m tests.support.mirror [END]`."""

import atexit
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

MODULE = "tests.support.mirror"


def surroundings() -> dict[str, object]:
    """All that a process has from the one that started it."""
    numbers = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    return {
        "arguments": sys.argv[1:],
        "file": Path(sys.argv[0]).name,
        # In a locale without a name for its encoding, the interpreter adds one.
        "environment": {name: value for name, value in sorted(os.environ.items()) if name != "LC_CTYPE"},
        "folder": str(Path.cwd()),
        "given": sys.stdin.read(),
        "descriptors": [number for number in range(64) if Path(f"/dev/fd/{number}").exists()],
        "signals": {number: str(signal.getsignal(number)).split(" at ")[0] for number in numbers},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "leads a session": os.getsid(0) == os.getpid(),
        "umask": os.umask(0o022),
        "threads": threading.active_count(),
        "tasks": len(list(Path("/proc/self/task").iterdir())),
    }


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(surroundings())}\n")
    sys.stdout.flush()
    match sys.argv[1:]:
        case ["status"]:
            sys.exit(3)
        case ["sentence"]:
            sys.exit("It cannot be done.")
        case ["exception"]:
            raise ValueError("a fault")
        case ["interrupt"]:
            signal.raise_signal(signal.SIGINT)
        case ["late words"]:
            atexit.register(sys.stdout.write, "at exit\n")
            threading.Timer(0.2, sys.stdout.write, ["of a thread\n"]).start()
        case ["wait"]:
            time.sleep(60)
