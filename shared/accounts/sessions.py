"""Logins: they give tokens for a name and a password, and new tokens for a refresh token."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.accounts.names import is_name
from shared.accounts.passwords import PasswordCheck, Passwords
from shared.accounts.refusals import CountedRefusals
from shared.accounts.rows import LoginSessionRow, UsedRefreshTokenRow, UserRow
from shared.accounts.tokens import ACCESS_SECONDS, AccessTokens
from shared.audit.actions import ANONYMOUS, Action, AuditOutcome, Via
from shared.audit.recording import AuditEntry, record
from shared.clock import Now
from shared.database import Database
from shared.errors import NotAuthenticated
from shared.upsert import insert_missing

LONGEST_SESSION_DAYS = 30
LONGEST_PAUSE_DAYS = 14

_DAY = 86_400
_FORM = re.compile(r"mlr_[A-Za-z0-9_-]{43}")
_WRONG = (
    "The name or the password is wrong, or the user may not log in. Send both again; somebody with the role admin can "
    "set another password."
)
_ENDED = "The refresh token is not valid, or not any more. Log in again at `/auth/token`."


@dataclass(frozen=True)
class Sender:
    """Where a request comes from, for the record."""

    request_id: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class IssuedTokens:
    """What a login or a refresh gives."""

    user_name: str
    session_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


class Logins:
    """Logs users in. It opens its transactions itself, so that none is open while a password is compared."""

    def __init__(
        self, database: Database, tokens: AccessTokens, passwords: Passwords, refusals: CountedRefusals
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._passwords = passwords
        self._refusals = refusals

    def log_in(
        self, name: str, password: str, sender: Sender = Sender(), *, seconds: int = ACCESS_SECONDS
    ) -> IssuedTokens:
        """Begin a login whose first access token is valid for `seconds`.

        Raises:
            NotAuthenticated: when name or password is wrong; with the same words, after the same time, for any reason.
            TooManyLogins: when too many passwords are compared at present.
            DatabaseUnavailable: when the database does not answer.
        """
        user = self._find(name)
        may = user is not None and user.active
        check = self._passwords.check(password, user.password_hash if user is not None and may else None)
        issued = None
        if user is not None and check.right:
            with self._database.write() as session:
                issued = self._begun(session, user, check, seconds)
                if issued is not None:
                    told = {"subject": f"user {user.name}", "actor": user.name, "via": Via.PASSWORD, **vars(sender)}
                    record(session, AuditEntry(action=Action.LOGIN, **told))
        if issued is None:
            # An unknown name may be a password that was typed into the wrong field.
            self.note_refusal("an unknown user" if user is None else f"user {user.name}", sender)
            raise NotAuthenticated(_WRONG)
        return issued

    def note_refusal(self, subject: str, sender: Sender = Sender()) -> None:
        """Record a login that was refused."""
        told = {"actor": ANONYMOUS, "via": Via.PASSWORD, "outcome": AuditOutcome.REFUSED, **vars(sender)}
        self._refusals.note(AuditEntry(action=Action.LOGIN_REFUSED, subject=subject, **told))

    def refresh(self, refresh_token: str, sender: Sender = Sender()) -> IssuedTokens:
        """Exchange a refresh token for new tokens. This works once: if the token comes again, the login ends.

        Raises:
            NotAuthenticated: when the token is not valid.
            DatabaseUnavailable: when the database does not answer.
        """
        if not _FORM.fullmatch(refresh_token):
            raise NotAuthenticated(_ENDED)
        with self._database.write() as session:
            # If the token has come again, the end of its login is committed before the refusal.
            issued = self._rotated(session, _digest(refresh_token), sender)
        if issued is None:
            raise NotAuthenticated(_ENDED)
        return issued

    def _find(self, name: str) -> UserRow | None:
        if not is_name(name):
            return None
        with self._database.read() as session:
            found = select(UserRow).where(UserRow.name == name, UserRow.deleted_at.is_(None))
            return session.scalars(found).one_or_none()

    def _begun(self, session: Session, user: UserRow, check: PasswordCheck, seconds: int) -> IssuedTokens | None:
        """Begin a login; None if the user was changed while the password was compared."""
        same = (UserRow.id == user.id) & (UserRow.session_epoch == user.session_epoch)
        if session.execute(select(UserRow.id).where(same).with_for_update()).one_or_none() is None:
            return None
        if check.renewed is not None:
            session.execute(update(UserRow).where(same).values(password_hash=check.renewed))
        return begin_session(session, user, self._tokens, seconds=seconds, authenticated_at=Now())

    def _rotated(self, session: Session, old: str, sender: Sender) -> IssuedTokens | None:
        refresh_token = _new_token()
        live = select(UserRow.id).where(UserRow.active, UserRow.deleted_at.is_(None))
        exchanged = (
            update(LoginSessionRow)
            .where(
                LoginSessionRow.refresh_hash == old,
                LoginSessionRow.revoked_at.is_(None),
                LoginSessionRow.expires_at > Now(),
                LoginSessionRow.refreshed_at > _in_days(-LONGEST_PAUSE_DAYS),
                LoginSessionRow.user_id.in_(live),
            )
            .values(refresh_hash=_digest(refresh_token), refreshed_at=Now())
            .returning(LoginSessionRow.id, LoginSessionRow.user_id)
        )
        found = session.execute(exchanged).one_or_none()
        if found is None:
            _end_if_reused(session, old, sender)
            return None
        session.add(UsedRefreshTokenRow(refresh_hash=old, session_id=found.id))
        session.flush()
        user = session.get_one(UserRow, found.user_id)
        return _issued(session, user, self._tokens, _Begun(found.id, refresh_token), ACCESS_SECONDS)


def begin_session(
    session: Session,
    user: UserRow,
    tokens: AccessTokens,
    *,
    seconds: int,
    authenticated_at: Now | datetime | None,
    session_id: str | None = None,
) -> IssuedTokens | None:
    """Begin a login of a user whose identity was checked at `authenticated_at`, None where that is not known.

    Returns None if a login of that id has begun before.
    """
    begun = _Begun(session_id or secrets.token_urlsafe(16), _new_token())
    row = insert_missing(session, LoginSessionRow).values(
        id=begun.session_id,
        user_id=user.id,
        refresh_hash=_digest(begun.refresh_token),
        authenticated_at=authenticated_at,
        expires_at=_in_days(LONGEST_SESSION_DAYS),
    )
    if session.execute(row.returning(LoginSessionRow.id)).one_or_none() is None:
        return None
    return _issued(session, user, tokens, begun, seconds)


def log_out(session: Session, session_id: str, sender: Sender = Sender()) -> bool:
    """End a login with all of its tokens; return False if it had ended before."""
    name = _ended(session, session_id, "logged_out")
    if name is None:
        return False
    entry = AuditEntry(action=Action.LOGOUT, subject=f"user {name}", actor=name, via=Via.TOKEN, **vars(sender))
    record(session, entry)
    return True


class _Begun(NamedTuple):
    session_id: str
    refresh_token: str


def _issued(session: Session, user: UserRow, tokens: AccessTokens, begun: _Begun, seconds: int) -> IssuedTokens:
    now = session.execute(select(Now())).scalar_one()
    access_token = tokens.issue(user.name, begun.session_id, user.session_epoch, now, seconds=seconds)
    return IssuedTokens(user.name, begun.session_id, access_token, begun.refresh_token, expires_in=seconds)


def _end_if_reused(session: Session, refresh_hash: str, sender: Sender) -> None:
    used = select(UsedRefreshTokenRow.session_id).where(UsedRefreshTokenRow.refresh_hash == refresh_hash)
    session_id = session.scalar(used)
    name = _ended(session, session_id, "token_reused") if session_id is not None else None
    if name is None:
        return
    entry = AuditEntry(
        action=Action.TOKEN_REUSED,
        subject=f"user {name}",
        # Nobody can tell whether this was the user or a thief.
        actor=ANONYMOUS,
        via=Via.TOKEN,
        outcome=AuditOutcome.REFUSED,
        **vars(sender),
    )
    record(session, entry)


def _ended(session: Session, session_id: str, why: str) -> str | None:
    """End a login; the name of its user, or None if it had ended before."""
    live = update(LoginSessionRow).where(LoginSessionRow.id == session_id, LoginSessionRow.revoked_at.is_(None))
    ended = live.values(revoked_at=Now(), why=why).returning(LoginSessionRow.user_id)
    user_id = session.scalar(ended)
    return None if user_id is None else session.get_one(UserRow, user_id).name


def _in_days(days: int) -> Any:
    return Now(days * _DAY)


def _new_token() -> str:
    return f"mlr_{secrets.token_urlsafe(32)}"


def _digest(token: str) -> str:
    # The token has 256 random bits, so no slow hash is needed.
    return hashlib.sha256(token.encode()).hexdigest()
