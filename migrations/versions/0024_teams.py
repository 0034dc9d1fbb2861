"""Which teams users are in, and whose datasets are.

Revision: 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("teams", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.create_table(
        "dataset_holders",
        sa.Column("dataset_name", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=True),
        sa.Column("team", sa.String(64), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("dataset_holders")
    op.drop_column("users", "teams")
