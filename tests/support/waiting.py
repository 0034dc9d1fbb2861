"""Waiting is polling with a deadline, never a sleep of a guessed length."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text

from shared.database import Database

T = TypeVar("T")

# A pause is this share of the time waited so far, up to the longest one: a long wait takes little from the processor.
_SHARE = 0.05
_LONGEST_PAUSE = 0.2


def eventually(predicate: Callable[[], T], timeout: float = 60, *, interval: float = 0.02, what: str = "") -> T:
    """The first true value that `predicate` returns within `timeout` seconds; `interval` is the shortest pause.

    Raises:
        AssertionError: when the time is over; it shows `what` was awaited and the last value seen.
    """
    began = time.monotonic()
    while True:
        value = predicate()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > timeout:
            raise AssertionError(f"{what or predicate} did not come true in {timeout} s; last seen: {value!r}")
        time.sleep(max(interval, min(_SHARE * waited, _LONGEST_PAUSE)))


def somebody_waits(database: Database) -> bool:
    """Whether a connection to this PostgreSQL database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.read() as session:
        return bool(session.scalar(text(waiting)))
