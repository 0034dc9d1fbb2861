"""When the person of a login showed who they are; of logins that there are it is not known.

Revision: 0025.
"""

import sqlalchemy as sa
from alembic import op

from shared.clock import Instant

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("authenticated_at", Instant(), nullable=True))


def downgrade() -> None:
    # Not in a batch, which copies the table on SQLite: dropping the old one would take refresh tokens with it.
    op.drop_column("login_sessions", "authenticated_at")
