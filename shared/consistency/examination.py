"""All checks one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.consistency import effects, files, histories, ledger, objects, record
from shared.consistency.difference import Difference
from shared.database import Database
from shared.object_store import ObjectStore
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings


@dataclass(frozen=True)
class Examination:
    """A look at a platform that runs or is stopped.

    Without `deep` the digests are those that the store tells; with it every object is read,
    and the audit record.
    """

    database: Database
    store: ObjectStore
    settings: Settings
    key: ArtifactKey | None
    deep: bool = False

    def differences(self) -> Iterator[Difference]:
        """Everything that is found.

        Raises:
            DatabaseUnavailable, StoreUnavailable: when one of them cannot be asked.
        """
        damages = list(files.differences(self.database))
        yield from damages
        if damages:
            return  # What such a file answers means nothing.
        yield from ledger.differences(self.database, self.settings, self.key)
        yield from histories.differences(self.database)
        yield from effects.differences(self.database)
        if self.deep:
            yield from record.differences(self.database, self.key)
        yield from objects.differences(self.database, self.store, self.settings, deep=self.deep)
