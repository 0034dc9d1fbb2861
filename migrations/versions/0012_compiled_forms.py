"""The compiled forms of models: which deployment has which file, and what came of making it.

Revision: 0012.
"""

import sqlalchemy as sa
from alembic import op

from shared.clock import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compilations",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("compiled", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("rows_compared", sa.Integer(), nullable=False),
        sa.Column("bit_for_bit", sa.Boolean(), nullable=True),
        sa.Column("worst_difference", sa.Double(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["model_registry.version"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "compiled_forms",
        sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form_path", sa.String(512), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("hmac", sa.String(64), nullable=False),
        sa.Column("hmac_key_id", sa.String(16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("deployment_id"),
    )
    op.create_index("ix_compiled_forms_form_path", "compiled_forms", ["form_path"])


def downgrade() -> None:
    op.drop_index("ix_compiled_forms_form_path", table_name="compiled_forms")
    op.drop_table("compiled_forms")
    op.drop_table("compilations")
