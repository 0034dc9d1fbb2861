"""API keys, for programs: each has the rights of its user, within its scopes."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from shared.accounts.permissions import Role, Scope, scopes_within
from shared.accounts.rows import ApiKeyRow, UserRow
from shared.clock import Now
from shared.errors import InvalidExpiry, InvalidRequest, ScopeBeyondRole, UnknownApiKey, UnknownUser

LONGEST_KEY_NAME = 64

_MARK = "mlm"
_FORM = re.compile(rf"{_MARK}_([a-z0-9]{{10}})_([0-9a-f]{{64}})")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class OwnedKey(NamedTuple):
    """A key and its user."""

    key: ApiKeyRow
    user: UserRow


def create_key(
    session: Session, user: UserRow, *, name: str, scopes: Collection[Scope], expires_at: datetime | None = None
) -> tuple[ApiKeyRow, str]:
    """A new key: its row, and the key itself, which can be shown now and never again.

    Raises:
        InvalidRequest: when it would have no name that can be shown, or no scope.
        ScopeBeyondRole: when the role of the user does not allow a scope.
        InvalidExpiry: when it would end before it begins.
        UnknownUser: when the user was deleted meanwhile.
    """
    if not name.isprintable() or not 0 < len(name.strip()) <= len(name) <= LONGEST_KEY_NAME:
        raise InvalidRequest(f"Give the key a name of 1 to {LONGEST_KEY_NAME} characters that can be printed.")
    if not scopes:
        raise InvalidRequest(f"Give the key one scope at least: {', '.join(Scope)}.")
    within = scopes_within(Role(user.role))
    beyond = [scope for scope in Scope if scope in scopes and scope not in within]
    if beyond:
        sentence = f"The role {user.role} does not allow {', '.join(beyond)}. {ScopeBeyondRole.hint}"
        raise ScopeBeyondRole(sentence, available=within)
    if expires_at is not None and expires_at <= session.execute(select(Now())).scalar_one():
        raise InvalidExpiry
    # A deletion of the user waits for this lock, and then revokes this key, too.
    there = select(UserRow.id).where(UserRow.id == user.id, UserRow.deleted_at.is_(None)).with_for_update(read=True)
    if session.execute(there).one_or_none() is None:
        raise UnknownUser
    prefix, secret = "".join(secrets.choice(_LETTERS) for _ in range(10)), secrets.token_hex(32)
    row = ApiKeyRow(
        user_id=user.id,
        name=name,
        prefix=prefix,
        key_hash=_digest(secret),
        scopes=[scope for scope in Scope if scope in scopes],
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row, f"{_MARK}_{prefix}_{secret}"


def list_keys(
    session: Session, *, user: UserRow | None = None, limit: int, before: int | None = None
) -> list[OwnedKey]:
    """Keys of one user or of all, the newest first; `before` is the id of the last key of the page before."""
    query = _owned().order_by(ApiKeyRow.id.desc()).limit(limit)
    if user is not None:
        query = query.where(ApiKeyRow.user_id == user.id)
    if before is not None:
        query = query.where(ApiKeyRow.id < before)
    return [OwnedKey(*found) for found in session.execute(query)]


def revoke_key(session: Session, key_id: int, *, user: UserRow | None = None) -> OwnedKey:
    """Revoke a key for good; with `user`, only a key of that user. Doing it twice changes nothing.

    Raises:
        UnknownApiKey: when there is no such key.
    """
    query = _owned().where(ApiKeyRow.id == key_id).with_for_update(of=ApiKeyRow)
    found = session.execute(query).one_or_none()
    if found is None or (user is not None and found[1].id != user.id):
        raise UnknownApiKey(f"There is no API key {key_id} that you may revoke. {UnknownApiKey.hint}")
    live = update(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
    session.execute(live.values(revoked_at=Now()))
    session.refresh(found[0])
    return OwnedKey(*found)


def is_key(text: str) -> bool:
    """Whether a credential has the form of a key."""
    return _FORM.fullmatch(text) is not None


def find_by_key(session: Session, text: str, seconds_ago: float = 0) -> OwnedKey | None:
    """The key, if it is one that is valid now and its user is active. It takes as long for one that is not.

    It may have ended by itself since so many `seconds_ago`.
    """
    parts = _FORM.fullmatch(text)
    if parts is None:
        return None
    prefix, secret = parts.groups()
    unended = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > Now(-seconds_ago))
    live = ApiKeyRow.revoked_at.is_(None) & unended
    active = UserRow.active & UserRow.deleted_at.is_(None)
    found = session.execute(_owned().where(ApiKeyRow.prefix == prefix, live, active)).one_or_none()
    same = hmac.compare_digest(found[0].key_hash if found is not None else _NOBODYS, _digest(secret))
    return OwnedKey(*found) if found is not None and same else None


def note_uses(session: Session, key_ids: Collection[int]) -> None:
    """Note that keys were used; the moment of a key is written at most once a minute."""
    old = or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < Now(-60))
    session.execute(update(ApiKeyRow).where(ApiKeyRow.id.in_(sorted(key_ids)), old).values(last_used_at=Now()))


def _owned() -> Select[ApiKeyRow, UserRow]:
    return select(ApiKeyRow, UserRow).join(UserRow, UserRow.id == ApiKeyRow.user_id)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so no slow hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()


_NOBODYS = _digest(secrets.token_hex(32))
