"""Objects in a store that has rows beside it, and a collector that looks after both."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import update

from shared.clock import Now
from shared.counters import CounterRow
from shared.database import Database
from shared.jobs import claims
from shared.jobs.acceptance import accept
from shared.jobs.states import Kind
from shared.object_store import ObjectStore
from shared.object_store.shelves import buckets_of
from shared.registry.orphan_collector import Collected, OrphanCollector
from shared.registry.rows import OrphanRow
from shared.settings import Settings
from tests.support.objects import put
from tests.support.registry import Data, insert_dataset, register_model

# A moment: what is there is old enough, as soon as the clock of the store has moved on.
NO_GRACE = 1e-6
UPLOADED = "iris/0123456789abcdef0123456789abcdef.csv"
LONG_AGO = 40 * 86_400


@dataclass
class Belongings:
    """A database and a store that a test fills."""

    database: Database
    store: ObjectStore
    settings: Settings
    folder: Path
    data: Data

    def put_table(self, key: str = UPLOADED) -> str:
        """An object in the bucket of datasets."""
        put(self.store, self.settings.datasets_bucket, key, b"a,b\n1,2\n", folder=self.folder)
        return key

    def put_artifact(self, key: str) -> str:
        """An object in the bucket of models."""
        put(self.store, self.settings.models_bucket, key, key.encode(), folder=self.folder)
        return key

    def left(self) -> set[str]:
        """The keys of all objects."""
        return {entry.key for bucket in buckets_of(self.settings) for entry in self.store.list(bucket)}

    def register(self, version: int) -> UUID:
        """A succeeded training of that version; its job."""
        with self.database.write() as session:
            job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None)
            claim = claims.claim(session, job.id, worker="worker-1", lease_seconds=60)
            assert claim is not None
            result = register_model(session, self.data, version=version, job_id=job.id)
            claims.succeed(session, claim)
            claims.put_outcome(session, claim, result=result)
            return job.id

    def collector(self, *, hours: float = NO_GRACE, collect: str = "delete") -> OrphanCollector:
        """A collector with that grace period."""
        settings = self.settings.model_copy(update={"orphan_hours": hours, "collect": collect})
        return OrphanCollector(self.database, self.store, settings)

    def collect(self, *, hours: float = NO_GRACE, collect: str = "delete") -> Collected:
        """One round."""
        return self.collector(hours=hours, collect=collect).collect()

    def age(self) -> None:
        """All objects are old in both; the clock of an S3 server cannot be moved, so there it takes a second."""
        self.age_in_database()
        if self.settings.store == "local":
            for bucket in buckets_of(self.settings):
                for entry in self.store.list(bucket):
                    os.utime(self.settings.home / "store" / bucket / entry.key, (0, 0))

    def age_in_database(self, *, seconds: float = LONG_AGO) -> None:
        """All orphans have been known for so long."""
        with self.database.write() as session:
            session.execute(update(OrphanRow).values(seen_at=Now(-seconds)))


def belongings(database: Database, store: ObjectStore, settings: Settings, folder: Path) -> Belongings:
    """One dataset without models; a hundred versions were taken."""
    with database.write() as session:
        data = insert_dataset(session)
        session.execute(update(CounterRow).where(CounterRow.name == "model_version").values(value=100))
    return Belongings(database, store, settings, folder, data)
