"""Whose credential it is, without asking the database for each request.

An answer counts for half a second as it is. In the next half second it still counts, but one of those who get it has to
have it looked up again; after that, the database is asked first. So what was revoked is refused after a second at most.
While the database is away, the last answer counts for a while longer, so that predictions go on.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.accounts.api_keys import find_by_key, is_key, note_uses
from shared.accounts.identity import Identity
from shared.accounts.memory import FOREVER, USABLE_SECONDS, CredentialMemory, Recalled
from shared.accounts.permissions import Role, Scope, allowed
from shared.accounts.rows import LoginSessionRow, UserRow
from shared.accounts.tokens import LEEWAY_SECONDS, LONGEST_CREDENTIAL, AccessTokens
from shared.accounts.users import user_count
from shared.audit.actions import Via
from shared.clock import Now
from shared.database import Database
from shared.errors import DatabaseFailure, NotAuthenticated

_MOST_KEPT = 10_000
_NOBODYS = f"The API key or token is unknown, was revoked or has expired. {NotAuthenticated.hint}"


class KnownCredentials:
    """Knows credentials; safe for several threads. Methods that begin with `recall` never wait for the database."""

    def __init__(
        self,
        database: Database,
        tokens: AccessTokens,
        grace_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self.clock = clock
        self._memory = CredentialMemory(clock, grace_seconds=grace_seconds, most_kept=most_kept)
        self._lock = threading.Lock()
        self._used_keys: set[int] = set()
        # How many times everything was forgotten, so that others can tell that they have to forget, too.
        self.forgotten = 0
        self._on = False
        # When to ask the database again whether access control is on.
        self._on_due = -FOREVER

    def identity(self, credential: str) -> Identity:
        """Whose credential it is: from memory if that is fresh enough, else from the database.

        Raises:
            NotAuthenticated: when it is nobody's, or not any more.
            DatabaseFailure: when the database is away, and there is no recent answer.
        """
        recalled = self.recall(credential)
        return self.look_up(credential) if recalled is None or recalled.due else recalled.identity

    def recall(self, credential: str) -> Recalled | None:
        """Whose credential it is, from memory alone; None when the database has to be asked (`look_up`).

        Raises:
            NotAuthenticated: when it was found to be nobody's, or has ended.
        """
        return self._memory.recall(_digest(credential))

    def look_up(self, credential: str) -> Identity:
        """Whose credential it is, from the database. It waits for that, so call it in a thread.

        Raises:
            NotAuthenticated: when it is nobody's, or not any more.
            DatabaseFailure: when the database is away, and there is no answer of late.
        """
        digest, now = _digest(credential), self.clock()
        try:
            identity, seconds = self._of_key(credential) if is_key(credential) else self._of_token(credential)
        except DatabaseFailure:
            last = self._memory.last_answer(digest)
            if last is None:
                raise
            return last
        except NotAuthenticated:
            self._memory.refuse(digest, asked_at=now)
            raise
        self._memory.keep(digest, identity, asked_at=now, ends_at=now + seconds)
        return identity

    def look_back(self, credential: str, seconds: float) -> Identity:
        """Whose credential of so many seconds ago it is, from the database: it may have ended by itself since then, but
        not have been revoked. Nothing is remembered of it.

        Raises:
            NotAuthenticated: when it is nobody's, or was revoked.
            DatabaseFailure: when the database is away.
        """
        found = self._of_key(credential, seconds) if is_key(credential) else self._of_token(credential, seconds)
        return found[0]

    def forget(self) -> None:
        """Forget all answers, because this process itself has just changed something."""
        self._memory.forget()
        self.forgotten += 1
        self._on_due = min(self._on_due, self.clock())

    def recall_on(self) -> bool | None:
        """Whether access control is on, from memory alone; None when the database has to be asked (`is_on`)."""
        return self._on if self._on or self.clock() < self._on_due else None

    def is_on(self) -> bool:
        """Whether access control is on, which it is once there is a user. It then stays on for this process.

        If the database goes away while it is off, it stays off: nobody can make a user then, and predictions go on.

        Raises:
            DatabaseFailure: when the database is away, and has never answered.
        """
        recalled = self.recall_on()
        if recalled is not None:
            return recalled
        try:
            with self._database.read() as session:
                self._on = user_count(session) > 0
        except DatabaseFailure:
            if self._on_due == -FOREVER:
                raise
        # After a failure, too, the database is not asked again at once: each question may wait for long.
        self._on_due = self.clock() + USABLE_SECONDS
        return self._on

    def look(self, session: Session) -> None:
        """Read whether access control is on, for those who will ask memory."""
        if not self._on:
            now = self.clock()
            self._on = user_count(session) > 0
            self._on_due = now + USABLE_SECONDS

    def write_uses(self) -> None:
        """Write which API keys were used since the last call. Call it every minute or so, in a thread.

        Raises:
            DatabaseFailure: when the database is away; the next call writes them.
        """
        with self._lock:
            used = set(self._used_keys)
        if used:
            with self._database.write() as session:
                note_uses(session, used)
            with self._lock:
                self._used_keys -= used

    def _of_key(self, text: str, seconds_ago: float = 0) -> tuple[Identity, float]:
        """Whose key it is, and for how many seconds it is valid."""
        with self._database.read() as session:
            found = find_by_key(session, text, seconds_ago)
            now = session.execute(select(Now())).scalar_one()
        if found is None:
            raise NotAuthenticated(_NOBODYS)
        with self._lock:
            self._used_keys.add(found.key.id)
        if found.key.last_used_at is None:
            # Whoever looks whether a key is in use must not read that it never was.
            with suppress(DatabaseFailure):
                self.write_uses()
        role, ends = Role(found.user.role), found.key.expires_at
        rights = allowed(role, [scope for scope in Scope if scope in found.key.scopes])
        teams = frozenset(found.user.teams)
        identity = Identity(found.user.name, role, rights, Via.KEY, key_id=str(found.key.id), teams=teams)
        return identity, FOREVER if ends is None else (ends - now).total_seconds()

    def _of_token(self, token: str, seconds_ago: float = 0) -> tuple[Identity, float]:
        claims = self._tokens.read(token)
        live = (
            select(UserRow, Now())
            .join(LoginSessionRow, LoginSessionRow.user_id == UserRow.id)
            .where(LoginSessionRow.id == claims.session_id, LoginSessionRow.revoked_at.is_(None))
            .where(LoginSessionRow.expires_at > Now(-seconds_ago))
            .where(UserRow.name == claims.user_name, UserRow.session_epoch == claims.epoch)
            .where(UserRow.active, UserRow.deleted_at.is_(None))
        )
        with self._database.read() as session:
            found = session.execute(live).one_or_none()
        if found is None:
            raise NotAuthenticated(_NOBODYS)
        user, now = found
        claims.check_time(now - timedelta(seconds=seconds_ago))
        role = Role(user.role)
        teams = frozenset(user.teams)
        identity = Identity(user.name, role, allowed(role), Via.TOKEN, session_id=claims.session_id, teams=teams)
        return identity, claims.expires_at + LEEWAY_SECONDS - now.timestamp()


def _digest(credential: str) -> bytes:
    """What a credential is remembered by.

    Raises:
        NotAuthenticated: when it is too long to be anybody's.
    """
    if len(credential) > LONGEST_CREDENTIAL:
        raise NotAuthenticated(
            f"No API key or token has more than {LONGEST_CREDENTIAL} characters. {NotAuthenticated.hint}"
        )
    return hashlib.sha256(credential.encode(errors="surrogatepass")).digest()
