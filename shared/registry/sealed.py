"""Which keys the files in use were sealed with."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.registry.rows import DeploymentRow


def sealing_keys(session: Session) -> dict[str, int]:
    """How many active deployments bear the seal of each key, by the key's id."""
    query = select(DeploymentRow.hmac_key_id, func.count()).where(DeploymentRow.retired_at.is_(None))
    return {row[0]: row[1] for row in session.execute(query.group_by(DeploymentRow.hmac_key_id))}
