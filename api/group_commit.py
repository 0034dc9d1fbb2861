"""Requests that write at the same time commit together.

A commit waits for the disk, and SQLite lets one transaction write at a time: what comes while one of them commits
waits for the next, which takes all that wait. Known as group commit (DeWitt et al., "Implementation Techniques for
Main Memory Database Systems", 1984).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import DatabaseUnavailable

T = TypeVar("T")

# So many rows are soon written, also by a database that is slow.
_MOST = 32


class GroupCommit:
    """The writes of many threads, in as few transactions as their commits allow; no thread of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: list[_Write] = []
        self._is_led = False

    def run(self, act: Callable[[Session], T], *, order: str = "") -> T:
        """What `act` returns, once that is committed.

        `act` is called a second time, alone in a transaction, when one of the others made the first fail. Acts that
        wait for each other's locks name them by their `order`: they are taken in that order by every process.

        Raises:
            DatabaseUnavailable: as `Database.write` does; it may be unknown then whether the commit came through.
            Exception: whatever `act` raises.
        """
        write = _Write(act, order)
        with self._lock:
            self._waiting.append(write)
            if not self._is_led:
                self._is_led = True
                write.turn.set_result(True)
        if write.turn.result():
            self._lead()
        result: T = write.outcome.result()
        return result

    def _lead(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            self._commit(sorted(group, key=lambda write: write.order))
        finally:
            with self._lock:
                # Who leads has waited longest: nobody serves others for longer than one commit.
                self._is_led = bool(self._waiting)
                if self._is_led:
                    self._waiting[0].turn.set_result(True)
            for write in group:
                if not write.turn.done():
                    write.turn.set_result(False)

    def _commit(self, group: list["_Write"]) -> None:
        try:
            with self._database.write() as session:
                results = [write.act(session) for write in group]
        except DatabaseUnavailable as error:
            # Whether it is committed may be unknown, so none of them may be written again.
            for write in group:
                write.outcome.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - the threads of all others wait for an outcome
            if len(group) == 1:
                group[0].outcome.set_exception(error)
            else:
                for write in group:
                    self._commit([write])
        else:
            for write, result in zip(group, results, strict=True):
                write.outcome.set_result(result)


class _Write:
    """What one thread wants written; `turn` tells it whether it leads, `outcome` what came of it."""

    def __init__(self, act: Callable[[Session], Any], order: str) -> None:
        self.act = act
        self.order = order
        self.turn: Future[bool] = Future()
        self.outcome: Future[Any] = Future()
