"""Remembers whose credentials are, and knows for how long that counts, also while the database is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.accounts.identity import Identity
from shared.errors import NotAuthenticated

FRESH_SECONDS = 0.5
USABLE_SECONDS = 1.0
FOREVER = float("inf")

# While the database is away, it is asked once in this time; other requests get the last answer at once.
_PAUSE_SECONDS = 1.0
_ENDED = f"The API key or token has expired. {NotAuthenticated.hint}"


@dataclass(frozen=True)
class Recalled:
    """An answer from memory. With `due`, whoever got it should have the credential looked up again in the background.

    Until the moment `fresh_until`, memory would give the same answer, unless this process forgets it.
    """

    identity: Identity
    due: bool = False
    fresh_until: float = field(default=-FOREVER, compare=False)


@dataclass
class _Remembered:
    identity: Identity
    asked_at: float
    ends_at: float
    is_asked_for: bool = False


class CredentialMemory:
    """Answers by digests of credentials. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], *, grace_seconds: float, most_kept: int) -> None:
        self._clock = clock
        self._grace_seconds = max(grace_seconds, USABLE_SECONDS)
        self._most_kept = most_kept
        self._lock = threading.Lock()
        self._answers: OrderedDict[bytes, _Remembered] = OrderedDict()
        # Kept apart, so that made-up credentials push no real ones out.
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._away_until = -FOREVER

    def keep(self, digest: bytes, identity: Identity, *, asked_at: float, ends_at: float = FOREVER) -> None:
        """Remember the answer that the database gave at the moment `asked_at`."""
        with self._lock:
            self._away_until = -FOREVER
            self._answers[digest] = _Remembered(identity, asked_at, ends_at)
            self._answers.move_to_end(digest)
            self._refused.pop(digest, None)
            while len(self._answers) > self._most_kept:
                self._answers.popitem(last=False)

    def refuse(self, digest: bytes, *, asked_at: float) -> None:
        """Remember that a credential is nobody's."""
        with self._lock:
            self._answers.pop(digest, None)
            self._refused[digest] = asked_at
            self._refused.move_to_end(digest)
            while len(self._refused) > self._most_kept:
                self._refused.popitem(last=False)

    def forget(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._answers.clear()

    def recall(self, digest: bytes) -> Recalled | None:
        """Whose credential it is, if that was looked up a moment ago; else None.

        Raises:
            NotAuthenticated: when it was found to be nobody's, or has ended.
        """
        with self._lock:
            now = self._clock()
            if now - self._refused.get(digest, -FOREVER) < FRESH_SECONDS:
                raise NotAuthenticated
            answer = self._answers.get(digest)
            if answer is None:
                return None
            age, is_away = now - answer.asked_at, now < self._away_until
            if age >= (self._grace_seconds if is_away else USABLE_SECONDS):
                return None
            _expect_valid(answer, now)
            due = age >= FRESH_SECONDS and not is_away and not answer.is_asked_for
            answer.is_asked_for = answer.is_asked_for or due
            return Recalled(answer.identity, due, min(answer.asked_at + FRESH_SECONDS, answer.ends_at))

    def last_answer(self, digest: bytes) -> Identity | None:
        """Whose credential it was, now that the database has failed to answer; None if the answer is too old.

        Raises:
            NotAuthenticated: when it has ended since.
        """
        with self._lock:
            now = self._clock()
            self._away_until = now + _PAUSE_SECONDS
            answer = self._answers.get(digest)
            if answer is None or now - answer.asked_at >= self._grace_seconds:
                return None
            _expect_valid(answer, now)
            return answer.identity


def _expect_valid(answer: _Remembered, now: float) -> None:
    if now >= answer.ends_at:
        raise NotAuthenticated(_ENDED)
