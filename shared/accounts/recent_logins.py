"""What changes who can log in, and how, takes a login of late."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.accounts.rows import LoginSessionRow
from shared.clock import Now
from shared.errors import LoginTooOld

RECENT_SECONDS = 15 * 60


def expect_recent(session: Session, session_id: str) -> None:
    """See that the person of a login has shown of late who they are, which a refresh does not do, and neither does an
    identity provider that lets them through without asking.

    Raises:
        LoginTooOld: when that was longer ago, or nobody knows when.
    """
    recent = select(LoginSessionRow.id).where(
        LoginSessionRow.id == session_id, LoginSessionRow.authenticated_at > Now(-RECENT_SECONDS)
    )
    if session.scalar(recent) is None:
        raise LoginTooOld
