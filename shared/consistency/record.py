"""The audit record against the seals of its entries."""

from collections.abc import Iterator

from shared.audit.chain import audit_key_of
from shared.audit.verifying import verify
from shared.consistency.difference import Difference
from shared.database import Database
from shared.registry.sealing import ArtifactKey

_HINT = (
    "Whoever changed it can write the database. Keep what is there as evidence, compare it with a backup, and change "
    "the password of the database."
)


def differences(database: Database, key: ArtifactKey | None) -> Iterator[Difference]:
    """The first entry that is not as it was recorded; without a key nothing can be told, nor was anything recorded."""
    if key is None:
        return
    with database.read() as session:
        found = verify(session, audit_key_of(key))
    if not found.whole:
        yield Difference("record_not_whole", f"entry {found.seq} of the audit record", found.problem, _HINT)
