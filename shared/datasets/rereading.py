"""The file of a version read in another way: a new version of the same bytes, with a file of its own."""

from collections.abc import Callable
from typing import TypeVar

from shared.datasets.catalog import find_entry
from shared.datasets.fetching import fetched
from shared.datasets.ingestion import Ingestor
from shared.datasets.publishing import Incoming
from shared.tables.options import ReadingOptions

T = TypeVar("T")


def reread(
    name: str, number: int | None, options: ReadingOptions, *, ingestor: Ingestor, then: Callable[[Incoming], T]
) -> T:
    """Fetch the file of a version, or of the newest one, and return what `then` makes of it, read by the options.

    `then` is `Ingestor.ingest`, or a rehearsal of it. Each version has an object of its own, so that all that removes,
    counts or brings back objects goes by one row for each.

    Raises:
        UnknownDataset, UnknownDatasetVersion: when there is no such version.
        StoreUnavailable: when the object store does not answer, or has lost the file.
        DatasetCorrupt: when what was fetched is not what was uploaded.
        As `then`.
    """
    # The transaction ends before the object store is asked.
    with ingestor.database.read() as session:
        dataset, version = find_entry(session, name, number)
    bucket, folder = ingestor.settings.datasets_bucket, ingestor.reader.folder
    with fetched(version, store=ingestor.store, bucket=bucket, folder=folder) as file:
        return then(Incoming(file, name, options, reread_from=dataset.id))
