"""Options, findings and a profile of each dataset version, and by which rules it is read.

Revision: 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_VERSIONS = sa.table("dataset_versions", sa.column("id", sa.Integer), sa.column("reading", sa.JSON))


def upgrade() -> None:
    op.add_column("dataset_versions", sa.Column("options", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("dataset_versions", sa.Column("findings", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("dataset_versions", sa.Column("profile", sa.JSON(), nullable=True))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_VERSIONS)).all():
        # What an older release took is read by its rules, and by no others from then on.
        reading = {"rules": 1, **row.reading}
        connection.execute(_VERSIONS.update().where(_VERSIONS.c.id == row.id).values(reading=reading))


def downgrade() -> None:
    # The rules stay in the readings: older releases pass over them, and they say the truth after another upgrade.
    # Not in a batch, which copies the table on SQLite: dropping the old one would touch what refers to it.
    op.drop_column("dataset_versions", "profile")
    op.drop_column("dataset_versions", "findings")
    op.drop_column("dataset_versions", "options")
