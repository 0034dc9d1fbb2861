"""Lets requests that write at the same time commit together.

A commit waits for the disk, and SQLite lets only one transaction write at a time. So writes that arrive during a commit
wait for the next one, and share it. This is known as group commit (DeWitt et al., "Implementation Techniques for Main
Memory Database Systems", 1984).
"""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import DatabaseUnavailable
from shared.jobs.shares import lock_share

T = TypeVar("T")

# The most writes in one transaction; a slow database also manages these soon.
_MOST = 32
# How long a group waits for a lock. A write that is alone waits as long as any other transaction.
_PATIENCE = "1s"


class GroupCommit:
    """The writes of many threads, in few transactions. It has no thread itself: one of the writers leads a group."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: list[_Write] = []
        self._is_led = False

    def run(self, act: Callable[[Session], T], *, order: str = "", shares: Collection[str] = ()) -> T:
        """What `act` returns, once that is committed. It may be called in another thread, and more than once.

        If one write of a group fails before the commit, nothing is written, and each thread repeats its own write in a
        transaction of its own. The writes of a group run in their `order`, so that all processes take locks that they
        may wait for in the same order. A write that counts what is in some `shares` names them, and they are locked
        first.

        Raises:
            DatabaseUnavailable: as `Database.write` does; it may be unknown then whether the commit came through.
            Exception: whatever `act` raises.
        """
        write = _Write(act, order, shares)
        with self._lock:
            self._waiting.append(write)
            if not self._is_led:
                self._is_led = True
                write.leads.set_result(True)
        if write.leads.result():
            self._lead()
        with suppress(_Apart):
            done: T = write.outcome.result()
            return done
        with self._database.write() as session:
            _lock_all(session, [write])
            return act(session)

    def _lead(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            self._commit(sorted(group, key=lambda write: write.order))
        finally:
            with self._lock:
                # The next leader is the one that has waited longest, so nobody leads for longer than one commit.
                self._is_led = bool(self._waiting)
                if self._is_led:
                    self._waiting[0].leads.set_result(True)
            for write in group:
                if not write.leads.done():
                    write.leads.set_result(False)

    def _commit(self, group: list["_Write"]) -> None:
        acted = False
        try:
            with self._database.write() as session:
                if len(group) > 1:
                    _be_brief(session)
                _lock_all(session, group)
                results = [write.act(session) for write in group]
                acted = True
        except BaseException as error:  # noqa: BLE001 - the threads of all others wait for an outcome
            for write in group:
                write.outcome.set_exception(_told(error, acted=acted, alone=len(group) == 1))
        else:
            for write, result in zip(group, results, strict=True):
                write.outcome.set_result(result)


class _Write:
    """The write of one thread; `leads` tells the thread whether it leads a group, and `outcome` how the write ended."""

    def __init__(self, act: Callable[[Session], Any], order: str, shares: Collection[str]) -> None:
        self.act = act
        self.order = order
        self.shares = shares
        self.leads: Future[bool] = Future()
        self.outcome: Future[Any] = Future()


class _Apart(Exception):
    """Nothing of the group was written; each member repeats its write alone."""


def _told(error: BaseException, *, acted: bool, alone: bool) -> BaseException:
    """The error for one member of a group."""
    if alone:
        return error
    if not acted:
        return _Apart()
    # The commit may have succeeded, so the write must not be repeated.
    told = DatabaseUnavailable()
    told.__cause__ = error
    return told


def _lock_all(session: Session, group: list[_Write]) -> None:
    for share in sorted({share for write in group for share in write.shares}):
        lock_share(session, share)


def _be_brief(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
