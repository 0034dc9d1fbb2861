"""The outputs of batch predictions.

Revision: 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prediction_outputs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.String(length=512), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_prediction_outputs_job_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["version"],
            ["model_registry.version"],
            name=op.f("fk_prediction_outputs_version"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_prediction_outputs")),
        sa.UniqueConstraint("object_key", name=op.f("uq_prediction_outputs_object_key")),
    )
    op.create_index(op.f("ix_prediction_outputs_created_at"), "prediction_outputs", ["created_at"])
    op.create_index(op.f("ix_prediction_outputs_version"), "prediction_outputs", ["version"])


def downgrade() -> None:
    # The older release knows neither the jobs nor the bucket: the files stay there for another upgrade, as orphans.
    op.drop_table("prediction_outputs")
