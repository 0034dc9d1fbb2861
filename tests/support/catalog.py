"""Small factory of catalogued datasets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from shared.database import Database
from shared.datasets.ingestion import Ingestor
from shared.datasets.publishing import Incoming, Ingestion
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.datasets.spool import Spool, Spooled
from shared.object_store import ObjectStore
from shared.settings import Settings
from shared.tables.options import ReadingOptions
from shared.tables.reader import Reader


def spooled(folder: Path, content: bytes) -> Spooled:
    """A file as an upload leaves it."""
    spool = Spool(folder)
    spool.write(content)
    return spool.finish()


@dataclass(frozen=True)
class Catalog:
    """A catalog with its parts."""

    database: Database
    store: ObjectStore
    reader: Reader
    settings: Settings

    @property
    def ingestor(self) -> Ingestor:
        """The way into it."""
        return Ingestor(self.database, self.store, self.reader, self.settings)

    def add(
        self, name: str, content: bytes = b"a,b\n1,2\n", *, description: str | None = None, **options: Any
    ) -> Ingestion:
        """Ingest a file with this content."""
        file = spooled(self.reader.folder, content)
        try:
            return self.ingestor.ingest(Incoming(file, name, ReadingOptions(**options), description=description))
        finally:
            file.path.unlink()

    def keys(self) -> list[str]:
        """The keys of all objects."""
        return sorted(each.key for each in self.store.list(self.settings.datasets_bucket))

    def versions(self) -> list[tuple[str, int | None, str]]:
        """Name, number and state of every version row."""
        query = select(DatasetRow.name, DatasetVersionRow.number, DatasetVersionRow.state).join(
            DatasetVersionRow, DatasetVersionRow.dataset_id == DatasetRow.id
        )
        with self.database.read() as session:
            return [(row.name, row.number, row.state) for row in session.execute(query.order_by(DatasetVersionRow.id))]

    def count_datasets(self) -> int:
        """How many dataset rows there are, visible or not."""
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(DatasetRow)) or 0
