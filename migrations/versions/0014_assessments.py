"""What the evaluations of models tell beside the metrics; none for the models that are there.

Revision: 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_assessment",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assessment", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model_registry.version"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version"),
    )


def downgrade() -> None:
    op.drop_table("model_assessment")
