"""Which identity provider a user logs in through, and who it is there.

Revision: 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("issuer", sa.String(512), nullable=True))
    op.add_column("users", sa.Column("subject", sa.String(255), nullable=True))
    op.create_index("ix_users_issuer", "users", ["issuer", "subject"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_users_issuer", table_name="users")
    # Not in a batch, which copies the table on SQLite: dropping the old one would take keys and logins with it.
    op.drop_column("users", "subject")
    op.drop_column("users", "issuer")
