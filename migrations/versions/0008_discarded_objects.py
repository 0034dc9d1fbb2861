"""Objects that a deletion leaves to be removed.

Revision: 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discarded_objects",
        sa.Column("shelf", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shelf", "key", name=op.f("pk_discarded_objects")),
    )


def downgrade() -> None:
    # What is still on the list becomes an orphan, which the collector of the older release removes.
    op.drop_table("discarded_objects")
