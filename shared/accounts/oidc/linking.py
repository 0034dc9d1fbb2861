"""Which user somebody is who comes from the identity provider.

An account belongs to an issuer and a subject from its first login on. The name counts at that login alone, and only for
an account that an admin has made for it: nobody gets to an account with a password by taking its name at the provider.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.accounts.names import is_name
from shared.accounts.oidc.provider import Arrival, Provider
from shared.accounts.permissions import Role
from shared.accounts.rows import AccountKind, UserRow
from shared.accounts.users import check_first_user, create_user
from shared.errors import LoginRefused


def linked_user(session: Session, arrival: Arrival, provider: Provider, role: Role | None) -> tuple[UserRow, bool]:
    """The user of an arrival, locked until the transaction ends, and whether it is one from now on only.

    Raises:
        LoginRefused: when there is none.
        UserExists: when another process has just made a user of that name.
        NoAccounts: when it would be the first user.
    """
    of_subject = select(UserRow).where(UserRow.issuer == arrival.issuer, UserRow.subject == arrival.subject)
    found = session.scalars(of_subject.with_for_update()).one_or_none()
    if found is not None and found.deleted_at is None:
        return found, False
    if arrival.name is None or not is_name(arrival.name):
        raise refused_for(
            f"The identity provider gives no name in the claim {provider.name_claim} that a user here can have, such "
            "as anna.lang, in lower case, and an e-mail address only if it is confirmed."
        )
    of_name = select(UserRow).where(UserRow.name == arrival.name).with_for_update()
    named = session.scalars(of_name.execution_options(populate_existing=True)).one_or_none()
    if named is not None and named.deleted_at is None:
        if (named.issuer, named.subject) == (arrival.issuer, arrival.subject):
            # Another login of the same person has just been the first.
            return named, False
        if named.issuer != arrival.issuer or named.subject is not None:
            raise refused_for(f"The user '{arrival.name}' here is not one that logs in through the identity provider.")
        _release(session, found)
        named.subject = arrival.subject
        session.flush()
        return named, True
    # A name of the record is not given to somebody else, unless an admin does it.
    if found is not None or named is not None:
        raise refused_for(f"The user '{arrival.name}' was deleted here.")
    if not provider.new_users or role is None:
        raise refused_for(f"There is no user '{arrival.name}' here. Have an admin make one that logs in by oidc.")
    return _made(session, arrival, role), True


def refused_for(reason: str) -> LoginRefused:
    """The error with a reason."""
    return LoginRefused(f"{reason} {LoginRefused.hint}")


def _made(session: Session, arrival: Arrival, role: Role) -> UserRow:
    check_first_user(session, role=role, with_password=False)
    name = arrival.name or ""
    user = create_user(session, name, role=role, password=None, kind=AccountKind.PERSON, issuer=arrival.issuer)
    user.subject = arrival.subject
    session.flush()
    return user


def _release(session: Session, deleted: UserRow | None) -> None:
    """Let go of an account that was deleted, for the one that an admin has made instead."""
    if deleted is not None:
        deleted.issuer = deleted.subject = None
        session.flush()
