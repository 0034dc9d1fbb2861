"""What workers found in own packages of estimators; none is there before one is started with such a package.

Revision: 0015.
"""

import sqlalchemy as sa
from alembic import op

from shared.clock import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_estimators",
        sa.Column("path", sa.String(512), nullable=False),
        sa.Column("release", sa.String(64), nullable=False),
        sa.Column("distribution", sa.String(256), nullable=False),
        sa.Column("description", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("described_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("path", "release"),
    )


def downgrade() -> None:
    op.drop_table("own_estimators")
