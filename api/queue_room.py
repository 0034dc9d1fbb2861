"""How many more jobs may wait, those of all users and of all processes together."""

import threading
import time
from collections.abc import Callable
from typing import NoReturn

from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import LimitPolicy, QueueFull
from shared.jobs.depth import seconds_to_next_begin, waiting_up_to
from shared.jobs.shares import count_open
from shared.jobs.states import State

# With less room than this, each job is counted in the transaction that inserts it. With more, a process looks now and
# then: to count ten thousand jobs for each that is accepted would hold up all.
_CLOSE = 1000
# What a transaction knows of the room, as its session's `info`.
_LEFT = "how many more jobs may wait"
# So many are accepted, and so long, until it looks again.
_UNSEEN = 64
_UNSEEN_SECONDS = 1.0
# A tenth of the places, but at most `_CLOSE`, is kept for other users when one user has all the rest.
_TENTH = 10


class QueueRoom:
    """Refuses jobs while `most` wait; with 0, none. The last places are kept for other users when one has all the rest.

    The limit holds to the job, unless others accept a thousand within a second: then each process may be late by 64.
    """

    def __init__(self, database: Database, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._close = False
        self._unseen = 0
        self._looks_at = 0.0

    def is_close(self, owner: str | None = None) -> bool:
        """Whether there is so little room that the transaction has to `check`, with the lock on all shares.

        Raises:
            QueueFull: when there is none.
            DatabaseUnavailable: when the database does not answer.
        """
        if not self._most:
            return False
        with self._lock:
            if self._clock() < self._looks_at and (self._close or self._unseen):
                self._unseen -= not self._close
                return self._close
        # Beforehand, too, where it may be full: whoever is refused keeps no others from being inserted together.
        with self._database.read() as session:
            close = self.check(session, owner) < _CLOSE
        with self._lock:
            self._close, self._unseen, self._looks_at = close, _UNSEEN, self._clock() + _UNSEEN_SECONDS
        return close

    def check(self, session: Session, owner: str | None = None) -> int:
        """How many more may wait, with the one that is inserted next; `owner` is who asks for it.

        Those that a transaction inserts are counted by it, and the others once: nobody else adds any meanwhile.

        Raises:
            QueueFull: when there is no room for one, or none for one more of that owner.
        """
        left: int | None = session.info.get(_LEFT)
        if left is None:
            left = self._most - waiting_up_to(session, self._most)
        if left <= 0:
            used = self._most - left
            self._refuse(session, f"{used:,} jobs wait already, those of all users together, and no more may", used)
        kept = min(_CLOSE, self._most // _TENTH)
        if owner is not None and left <= kept:
            own = self._of_owner(session, owner)
            if own >= self._most - kept:
                others = f"the last {kept:,} places are kept for others"
                self._refuse(session, f"{own:,} jobs of '{owner}' wait already, and {others}", own, kept)
        session.info[_LEFT] = left - 1
        return left

    def _of_owner(self, session: Session, owner: str) -> int:
        """How many jobs of an owner wait, counted once in a transaction as well."""
        own: int = session.info.get((_LEFT, owner), -1)
        if own < 0:
            own = count_open(session, owner)[State.QUEUED]
        session.info[_LEFT, owner] = own + 1
        return own

    def _refuse(self, session: Session, why: str, used: int, kept: int = 0) -> NoReturn:
        with self._lock:
            self._looks_at = 0.0
        seconds, limit = seconds_to_next_begin(session), self._most - kept
        raise QueueFull(
            f"{why}. Send it again in {seconds} s, best with an Idempotency-Key, or have MLMINI_MAX_QUEUED_JOBS "
            "raised. More workers empty the queue sooner.",
            used=used,
            limit=limit,
            setting="MLMINI_MAX_QUEUED_JOBS",
            retry_after=seconds,
            policy=LimitPolicy("queue", limit, unit="concurrent-requests"),
        )
