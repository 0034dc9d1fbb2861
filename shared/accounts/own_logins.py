"""The present logins of a user, and how a user ends one of them."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.accounts.rows import LoginSessionRow, UserRow
from shared.accounts.sessions import LONGEST_PAUSE_DAYS, Sender, log_out
from shared.clock import Now
from shared.errors import UnknownLogin

_DAY = 86_400
# Of more, only the latest are shown.
MOST_LOGINS = 100


def logins_of(session: Session, user_name: str) -> list[LoginSessionRow]:
    """The logins of a user that have not ended, the latest first."""
    latest = _live(user_name).order_by(LoginSessionRow.created_at.desc(), LoginSessionRow.id).limit(MOST_LOGINS)
    return list(session.scalars(latest))


def end_own_login(session: Session, user_name: str, login_id: str, sender: Sender) -> None:
    """End a login of a user, with all of its tokens.

    Raises:
        UnknownLogin: when it is not one of this user, or has ended.
    """
    found = session.scalar(_live(user_name).where(LoginSessionRow.id == login_id))
    if found is None or not log_out(session, found.id, sender):
        raise UnknownLogin


def _live(user_name: str) -> Select[LoginSessionRow]:
    return (
        select(LoginSessionRow)
        .join(UserRow, UserRow.id == LoginSessionRow.user_id)
        .where(UserRow.name == user_name, UserRow.deleted_at.is_(None), LoginSessionRow.revoked_at.is_(None))
        .where(LoginSessionRow.expires_at > Now(), LoginSessionRow.refreshed_at > Now(-LONGEST_PAUSE_DAYS * _DAY))
    )
