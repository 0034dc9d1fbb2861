"""What changes who can log in, and how, takes a login of late."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.accounts.rows import LoginSessionRow
from shared.clock import Now
from shared.errors import LoginTooOld

RECENT_SECONDS = 15 * 60


def expect_recent(session: Session, session_id: str) -> None:
    """See that a login began of late; what was refreshed since began no later for that.

    Raises:
        LoginTooOld: when it began before that.
    """
    recent = select(LoginSessionRow.id).where(
        LoginSessionRow.id == session_id, LoginSessionRow.created_at > Now(-RECENT_SECONDS)
    )
    if session.scalar(recent) is None:
        raise LoginTooOld
