"""What stays of models and datasets that were erased.

Revision: 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erased_dataset_versions",
        sa.Column("dataset_name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("dataset_name", "number", name=op.f("pk_erased_dataset_versions")),
    )
    op.create_table(
        "erased_models",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_name", sa.String(length=64), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("deployments", sa.JSON(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_by", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_erased_models_job_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_erased_models")),
        sa.UniqueConstraint("job_id", name=op.f("uq_erased_models_job_id")),
    )


def downgrade() -> None:
    op.drop_table("erased_models")
    op.drop_table("erased_dataset_versions")
    # Not in a batch, which copies the table on SQLite: dropping the old one would touch what refers to it.
    op.drop_column("jobs", "erased_at")
