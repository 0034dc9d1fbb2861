"""Makes, changes and deletes users, and makes sure that there is always an admin who can do that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from shared.accounts.names import checked_name, checked_teams, is_name
from shared.accounts.passwords import HashedPassword
from shared.accounts.permissions import Role
from shared.accounts.rows import AccountKind, ApiKeyRow, LoginSessionRow, UserRow
from shared.clock import Now
from shared.errors import (
    InvalidCursor,
    InvalidRequest,
    LastAdmin,
    NoAccounts,
    UnknownUser,
    UserChanged,
    UserExists,
    closest,
    meant,
)
from shared.upsert import insert_missing


@dataclass(frozen=True)
class UserChange:
    """A user after a change, and the differences for the audit record; of a password only that it was changed."""

    user: UserRow
    before: dict[str, Any]
    after: dict[str, Any]


def user_count(session: Session) -> int:
    """How many users there are; access control is on as soon as there is one."""
    return session.execute(select(func.count()).where(UserRow.deleted_at.is_(None))).scalar_one()


def list_users(session: Session, *, limit: int, after: str | None = None) -> list[UserRow]:
    """Users in the order of their names; `after` is the last name of the page before.

    Raises:
        InvalidCursor: when `after` is no name.
    """
    query = select(UserRow).where(UserRow.deleted_at.is_(None)).order_by(UserRow.name).limit(limit)
    if after is not None:
        if not is_name(after):
            raise InvalidCursor
        query = query.where(UserRow.name > after)
    return list(session.scalars(query))


def find_user(session: Session, name: str) -> UserRow:
    """The user of that name.

    Raises:
        UnknownUser: when there is none.
    """
    # PostgreSQL takes no text with a NUL in it.
    found = select(UserRow).where(UserRow.name == name, UserRow.deleted_at.is_(None))
    user = session.scalars(found).one_or_none() if is_name(name) else None
    if user is None:
        raise _unknown(session, name)
    return user


def check_first_user(session: Session, *, role: Role, with_password: bool) -> None:
    """Refuse a first user who could not make the others: after that, nobody could.

    Raises:
        NoAccounts: when there are no users, and this one is no admin with a password.
    """
    if (role is not Role.ADMIN or not with_password) and not user_count(session):
        raise NoAccounts(f"The first user has to be an admin with a password. {NoAccounts.hint}")


def create_user(
    session: Session,
    name: str,
    *,
    role: Role,
    password: HashedPassword | None,
    kind: AccountKind = AccountKind.PERSON,
    issuer: str | None = None,
    teams: Collection[str] = (),
) -> UserRow:
    """Add a user. A deleted user comes back, without the passwords, logins and keys of before.

    Hash the password before the transaction (`Passwords.hashed`), so that no locks are held meanwhile. With `issuer`,
    the account goes to whoever first logs in with this name through that identity provider.

    Raises:
        InvalidUserName: when the name cannot be given.
        InvalidRequest: when a service would have a login, a person two, or a team such a name.
        UserExists: when the name is taken.
    """
    name = checked_name(name)
    _expect_fitting(kind, password, issuer)
    values: dict[str, Any] = {"kind": kind, "role": role, "password_hash": password, "active": True, "issuer": issuer}
    values["teams"] = checked_teams(teams)
    made = insert_missing(session, UserRow).values(name=name, **values).returning(UserRow.id)
    if session.execute(made).one_or_none() is None:
        again = values | {"subject": None, "created_at": Now(), "updated_at": Now(), "deleted_at": None}
        revived = update(UserRow).where(UserRow.name == name, UserRow.deleted_at.is_not(None))
        revived = revived.values(session_epoch=UserRow.session_epoch + 1, **again).returning(UserRow.id)
        if session.execute(revived).one_or_none() is None:
            raise UserExists(f"There is a user '{name}' already. {UserExists.hint}")
    return find_user(session, name)


def change_user(
    session: Session,
    name: str,
    *,
    role: Role | None = None,
    password: HashedPassword | None = None,
    active: bool | None = None,
    issuer: str | None = None,
    teams: Collection[str] | None = None,
    expected_epoch: int | None = None,
) -> UserChange:
    """Change what is given. If anything differs, all logins of the user end; API keys work on while it is active.

    A password replaces a login through an identity provider, and `issuer` replaces a password: the account then goes to
    whoever next logs in with this name through that provider.

    Of two simultaneous changes, the second waits for the first. With `expected_epoch`, the `session_epoch` of the user
    that the caller has seen, the second is refused if the first has changed anything.

    Raises:
        UnknownUser: when there is no such user.
        UserChanged: when the user is not the one that was looked at.
        InvalidRequest: when a service would have a login, a person two, or a team such a name.
        LastAdmin: when nobody could log in as an admin after that.
    """
    user, others = _locked(session, name)
    if expected_epoch is not None and user.session_epoch != expected_epoch:
        raise UserChanged(f"Somebody else has changed the user '{name}' since you looked. {UserChanged.hint}")
    _expect_fitting(AccountKind(user.kind), password, issuer)
    wanted = {"role": role, "active": active, "teams": None if teams is None else checked_teams(teams)}
    after: dict[str, Any] = {
        field: value for field, value in wanted.items() if value is not None and value != getattr(user, field)
    }
    before = {field: getattr(user, field) for field in after}
    if after.get("role", user.role) != Role.ADMIN or not after.get("active", user.active) or issuer is not None:
        _expect_other_admin(user, others)
    ways, told = _ways(password, issuer)
    if after or ways:
        _write(session, user, after | ways, why="user_changed")
    return UserChange(user, before, after | told)


def change_role(session: Session, user: UserRow, role: Role) -> None:
    """Give another role to a user without a password, whose row the transaction has locked; all logins of the user end.

    Such a user is no admin with a password, so there is no need to check that one is left.
    """
    _write(session, user, {"role": role}, why="user_changed")


def delete_user(session: Session, name: str) -> UserChange:
    """Delete a user, with all logins and keys. What the user has made stays, and so does the name in the record.

    Raises:
        UnknownUser: when there is no such user.
        LastAdmin: when nobody could log in as an admin after that.
    """
    user, others = _locked(session, name)
    _expect_other_admin(user, others)
    before = {"role": user.role, "active": user.active, "kind": user.kind}
    revoked = update(ApiKeyRow).where(ApiKeyRow.user_id == user.id, ApiKeyRow.revoked_at.is_(None))
    session.execute(revoked.values(revoked_at=Now()))
    _write(session, user, {"password_hash": None, "active": False, "deleted_at": Now()}, why="user_deleted")
    return UserChange(user, before, {})


def _locked(session: Session, name: str) -> tuple[UserRow, list[UserRow]]:
    """The user, and the other users that can log in as admins, locked until the transaction ends.

    Without the locks on the others, two admins could take each other's role away at the same time. All rows are locked
    in the same order, so that there are no deadlocks.
    """
    if not is_name(name):
        raise _unknown(session, name)
    wanted = or_(UserRow.name == name, _can_be_admin())
    query = select(UserRow).where(wanted, UserRow.deleted_at.is_(None)).order_by(UserRow.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    rows: Sequence[UserRow] = session.scalars(query).all()
    user = next((row for row in rows if row.name == name), None)
    if user is None:
        raise _unknown(session, name)
    return user, [row for row in rows if row is not user]


def _can_be_admin() -> ColumnElement[bool]:
    return (UserRow.role == Role.ADMIN) & UserRow.active & UserRow.password_hash.is_not(None)


def _expect_other_admin(user: UserRow, others: list[UserRow]) -> None:
    is_one = user.role == Role.ADMIN and user.active and user.password_hash is not None
    if is_one and not others:
        raise LastAdmin(f"The user '{user.name}' is the only one who can log in as an admin. {LastAdmin.hint}")


def _expect_fitting(kind: AccountKind, password: HashedPassword | None, issuer: str | None) -> None:
    if kind is AccountKind.SERVICE and (password is not None or issuer is not None):
        raise InvalidRequest(
            "A service has no password and no other login. Leave it out, and make an API key for the service."
        )
    if password is not None and issuer is not None:
        raise InvalidRequest("Who logs in through the identity provider has no password here. Leave one of them out.")


def _ways(password: HashedPassword | None, issuer: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns that a new way to log in changes, and what the record says about it."""
    if password is not None:
        return {"password_hash": password, "issuer": None, "subject": None}, {"password": "changed"}
    if issuer is not None:
        return {"password_hash": None, "issuer": issuer, "subject": None}, {"login": "oidc"}
    return {}, {}


def _write(session: Session, user: UserRow, values: dict[str, Any], *, why: str) -> None:
    for field, value in values.items():
        setattr(user, field, value)
    user.session_epoch += 1
    now: Any = Now()
    user.updated_at = now
    live = update(LoginSessionRow).where(LoginSessionRow.user_id == user.id, LoginSessionRow.revoked_at.is_(None))
    session.execute(live.values(revoked_at=Now(), why=why))
    session.flush()
    session.refresh(user)


def _unknown(session: Session, name: str) -> UnknownUser:
    names = session.scalars(select(UserRow.name).where(UserRow.deleted_at.is_(None)).order_by(UserRow.name))
    near = closest(name, names)
    return UnknownUser(f"There is no user '{name[:64]}'.{meant(near)} {UnknownUser.hint}", did_you_mean=near)
