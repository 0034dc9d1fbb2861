"""The digest of the beginning of a file, which is all that a preview of a long one reads.

Revision: 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_versions", sa.Column("head_sha256", sa.String(length=64), nullable=True))


def downgrade() -> None:
    # Not in a batch, which copies the table on SQLite: dropping the old one would touch what refers to it.
    op.drop_column("dataset_versions", "head_sha256")
