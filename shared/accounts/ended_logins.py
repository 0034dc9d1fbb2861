"""Deletes logins that ended long ago: their tokens are refused without them, too."""

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from shared.accounts.rows import LoginSessionRow
from shared.accounts.sessions import LONGEST_PAUSE_DAYS
from shared.clock import Now

_SOME = 200
# A login is kept this long after its end, to say why it ended, and to tell a token that comes again from a made-up one.
_KEPT_DAYS = 7
_DAY = 86_400


def ended_logins(session: Session) -> list[str]:
    """Some of the logins that ended over a week ago: revoked, expired, or not refreshed for too long."""
    query = select(LoginSessionRow.id).where(
        or_(
            LoginSessionRow.revoked_at < Now(-_KEPT_DAYS * _DAY),
            LoginSessionRow.expires_at < Now(-_KEPT_DAYS * _DAY),
            LoginSessionRow.refreshed_at < Now(-(LONGEST_PAUSE_DAYS + _KEPT_DAYS) * _DAY),
        )
    )
    return list(session.scalars(query.limit(_SOME)))


def forget_logins(session: Session, ids: list[str]) -> int:
    """Delete ended logins with their exchanged tokens, and return how many logins were deleted."""
    # Rows that another janitor is deleting are left to it.
    held = select(LoginSessionRow.id).where(LoginSessionRow.id.in_(ids)).with_for_update(skip_locked=True)
    free = list(session.scalars(held))
    session.execute(delete(LoginSessionRow).where(LoginSessionRow.id.in_(free)))
    return len(free)
