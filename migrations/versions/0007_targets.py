"""The target of a model as a column of its own, because what serves is told apart by it.

Revision: 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REGISTRY = sa.table("model_registry", sa.column("target", sa.Text), sa.column("signature", sa.JSON))


def upgrade() -> None:
    op.add_column("model_registry", sa.Column("target", sa.Text(), server_default="", nullable=False))
    op.execute(_REGISTRY.update().values(target=sa.func.coalesce(_REGISTRY.c.signature["target"].as_string(), "")))


def downgrade() -> None:
    # Not in a batch, which copies the table on SQLite: dropping the old one would touch what refers to it.
    op.drop_column("model_registry", "target")
