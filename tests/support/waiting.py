"""Waiting is polling with a deadline, never a sleep of a guessed length."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], timeout: float = 10, *, interval: float = 0.02, what: str = "") -> T:
    """The first true value that `predicate` returns within `timeout` seconds.

    Raises:
        AssertionError: when the time is over; it shows `what` was awaited and the last value seen.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or predicate} did not come true in {timeout} s; last seen: {value!r}")
        time.sleep(interval)
