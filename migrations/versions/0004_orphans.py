"""Objects that no row names.

Revision: 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orphans",
        sa.Column("shelf", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removals", sa.Integer(), nullable=False),
        sa.Column("removal_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shelf", "key", name=op.f("pk_orphans")),
    )


def downgrade() -> None:
    op.drop_table("orphans")
