"""In which order jobs are taken, what each may use, and what its last attempt used.

Revision: 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("priority", sa.Integer(), server_default="5", nullable=False))
    op.add_column("jobs", sa.Column("time_limit_seconds", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("memory_limit_mb", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("usage", sa.JSON(), nullable=True))
    op.drop_index("ix_jobs_due", "jobs")
    op.create_index("ix_jobs_due", "jobs", ["status", "priority", "run_at"])


def downgrade() -> None:
    op.drop_index("ix_jobs_due", "jobs")
    op.create_index("ix_jobs_due", "jobs", ["status", "run_at"])
    # Not in a batch, which copies the table on SQLite: dropping the old one would delete events and logs with it.
    for column in ("usage", "memory_limit_mb", "time_limit_seconds", "priority"):
        op.drop_column("jobs", column)
