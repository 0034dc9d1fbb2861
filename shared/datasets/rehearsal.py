"""What an upload or a reading anew would come to, without leaving anything behind."""

from dataclasses import dataclass
from pathlib import Path

from shared.datasets.ingestion import Ingestor
from shared.datasets.publishing import Incoming, known_version
from shared.errors import TableTooLarge
from shared.tables.inspected import Inspection, Preview
from shared.tables.reader import Reader

# The most rows that are shown; fewer where they are too long to show so many.
_ROWS = (20, 1)


@dataclass(frozen=True)
class RehearsedIngestion:
    """What is in a file as it would be read, its first rows, and the version that would be answered with.

    `known` is the number of a version that is there already, None where a new one would be made.
    """

    incoming: Incoming
    found: Inspection
    preview: Preview
    known: int | None


def rehearse(incoming: Incoming, ingestor: Ingestor) -> RehearsedIngestion:
    """Check a file as `Ingestor.ingest` does, and show its first rows.

    Raises:
        InvalidTable: when the file is not a table; `Reader.inspect` lists the related errors.
    """
    reader = ingestor.reader
    path = incoming.file.path
    found = reader.inspect(path, incoming.options if incoming.options.said else None)
    preview = _first_rows(reader, path, found)
    with ingestor.database.read() as session:
        known = known_version(session, incoming, found)
    return RehearsedIngestion(incoming, found, preview, None if known is None else known.version.number)


def _first_rows(reader: Reader, path: Path, found: Inspection) -> Preview:
    for rows in _ROWS:
        try:
            return reader.preview(path, found.reading, rows, found.columns)
        except TableTooLarge:
            # An upload takes such a table all the same.
            continue
    return Preview(columns=[column.name for column in found.columns], rows=[])
