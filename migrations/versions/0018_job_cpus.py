"""How many cores the computation of a job may use, where its request says so.

Revision: 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("cpu_limit", sa.Integer(), nullable=True))


def downgrade() -> None:
    # Not in a batch, which copies the table on SQLite: dropping the old one would delete events and logs with it.
    op.drop_column("jobs", "cpu_limit")
