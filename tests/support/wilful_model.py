"""A model that does what the first number of its input says, in whatever process it is."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.models import LIBRARIES, Fitted, numeric_signature

# What it can be told to do.
PREDICT, SLEEP, EXIT, KILL, EAT, REFUSE, FAIL, LEAVE, TELL_MEMORY, GARBLE = map(float, range(10))


class WilfulModel:
    """Predicts the number of its process, unless it is told to do otherwise."""

    def get_params(self) -> dict[str, Any]:
        return {}

    def predict(self, rows: Any) -> list[float]:
        act = _ACTS.get(float(rows[0][0]), os.getpid)
        return [float(act())] * len(rows)


def wilful(target: str = "target") -> Fitted:
    """The model, of one input."""
    signature = numeric_signature("x", task="regression").model_copy(update={"target": target})
    return Fitted(WilfulModel(), signature, dict(LIBRARIES))


def _sleep() -> int:
    while True:
        time.sleep(60)


def _kill() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return _sleep()


def _eat() -> int:
    kept = []
    while True:
        kept.append(bytearray(16 * 2**20))


def _refuse() -> int:
    raise OverflowError("too much")


def _fail() -> int:
    raise LookupError("nothing like it")


def _most_memory() -> int:
    """The limit of this process."""
    return sum(int(line.split()[3]) for line in Path("/proc/self/limits").read_text().splitlines() if "address" in line)


def _garble() -> int:
    os.write(0, b"x" * 64)
    return 0


_ACTS: dict[float, Callable[[], int]] = {
    SLEEP: _sleep,
    EXIT: lambda: os._exit(3),
    KILL: _kill,
    EAT: _eat,
    REFUSE: _refuse,
    FAIL: _fail,
    LEAVE: lambda: sys.exit("enough"),
    TELL_MEMORY: _most_memory,
    GARBLE: _garble,
}
