"""Several models of one job; those that are there are the only ones of theirs.

Revision: 0016.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLES = ("model_registry", "erased_models")
# What refers to models, after what it refers to itself.
_REFERRING = (
    "deployments",
    "compiled_forms",
    "model_tags",
    "compilations",
    "model_assessment",
    "prediction_outputs",
)


def upgrade() -> None:
    with _referring_rows_aside():
        for name in _TABLES:
            with op.batch_alter_table(name) as table:
                table.add_column(sa.Column("candidate", sa.Integer(), server_default="1", nullable=False))
                table.drop_constraint(f"uq_{name}_job_id", type_="unique")
                table.create_unique_constraint(f"uq_{name}_job_id_candidate", ["job_id", "candidate"])


def downgrade() -> None:
    for name in _TABLES:
        if op.get_bind().scalar(sa.text(f"SELECT count(*) - count(DISTINCT job_id) FROM {name}")):  # noqa: S608 - ours
            raise RuntimeError(
                "There are jobs of several models, which the older release cannot keep: bring back a backup of the "
                "database from before them instead."
            )
    with _referring_rows_aside():
        for name in _TABLES:
            with op.batch_alter_table(name) as table:
                table.drop_constraint(f"uq_{name}_job_id_candidate", type_="unique")
                table.drop_column("candidate")
                table.create_unique_constraint(f"uq_{name}_job_id", ["job_id"])


@contextmanager
def _referring_rows_aside() -> Iterator[None]:
    """On SQLite, which copies the tables and drops the old ones, keep the rows aside that refer to their rows."""
    if op.get_bind().dialect.name != "sqlite":
        yield
        return
    for name in reversed(_REFERRING):
        op.execute(f"CREATE TEMPORARY TABLE kept_{name} AS SELECT * FROM {name}")  # noqa: S608 - the names are ours
        op.execute(f"DELETE FROM {name}")  # noqa: S608 - the names are ours
    yield
    for name in _REFERRING:
        op.execute(f"INSERT INTO {name} SELECT * FROM kept_{name}")  # noqa: S608 - the names are ours
        op.execute(f"DROP TABLE kept_{name}")
