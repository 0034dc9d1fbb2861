"""Tags and a note on models.

Revision: 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_registry", sa.Column("note", sa.Text(), nullable=True))
    op.create_table(
        "model_tags",
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["model_registry.version"],
            name=op.f("fk_model_tags_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tag", "version", name=op.f("pk_model_tags")),
    )
    op.create_index(op.f("ix_model_tags_version"), "model_tags", ["version"])


def downgrade() -> None:
    op.drop_table("model_tags")
    # Not in a batch, which copies the table on SQLite: dropping the old one would touch what refers to it.
    op.drop_column("model_registry", "note")
