"""Whose share of the workers a job takes, and when it was last begun: the owners of waiting jobs take turns.

Revision: 0022.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("share", sa.String(64), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("dataset_versions", sa.Column("owner", sa.String(64), nullable=True))
    op.execute("UPDATE jobs SET share = owner WHERE owner IS NOT NULL")
    op.create_index("ix_jobs_share", "jobs", ["status", "share", "pool", "priority", "run_at"])
    op.create_index("ix_jobs_served", "jobs", ["share", "claimed_at"])
    op.create_index("ix_dataset_versions_owner", "dataset_versions", ["owner"])


def downgrade() -> None:
    op.drop_index("ix_dataset_versions_owner", "dataset_versions")
    op.drop_index("ix_jobs_served", "jobs")
    op.drop_index("ix_jobs_share", "jobs")
    # Not in a batch, which copies the table on SQLite: dropping the old one would delete what refers to it.
    op.drop_column("dataset_versions", "owner")
    op.drop_column("jobs", "claimed_at")
    op.drop_column("jobs", "share")
