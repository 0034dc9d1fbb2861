"""Seals of artifacts say the dataset and the stage, too.

No table changes: `shared.registry.seal_renewal` makes the seals anew, for which it needs the key and the files. The
number keeps releases that neither read nor make such seals from starting on this database.

Revision: 0005.
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing: see above."""


def downgrade() -> None:
    """Nothing: an older release refuses the models that were sealed since, until a backup is brought back."""
