"""What trainings of models ran with, and rows to compare answers by; none for the models that are there.

Revision: 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_pins",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pin", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model_registry.version"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version"),
    )


def downgrade() -> None:
    op.drop_table("model_pins")
