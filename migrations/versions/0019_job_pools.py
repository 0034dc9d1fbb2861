"""Which workers may run a job: those of its pool.

Revision: 0019.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("pool", sa.String(32), server_default="default", nullable=False))
    op.drop_index("ix_jobs_due", "jobs")
    op.create_index("ix_jobs_due", "jobs", ["status", "pool", "priority", "run_at"])


def downgrade() -> None:
    op.drop_index("ix_jobs_due", "jobs")
    op.create_index("ix_jobs_due", "jobs", ["status", "priority", "run_at"])
    # Not in a batch, which copies the table on SQLite: dropping the old one would delete events and logs with it.
    op.drop_column("jobs", "pool")
