"""Who asked for a job, once there are accounts.

Revision: 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("owner", sa.String(64), nullable=True))


def downgrade() -> None:
    # Not in a batch, which copies the table on SQLite: dropping the old one would delete events and logs with it.
    op.drop_column("jobs", "owner")
