"""The first rows of a stored dataset: no more of it is fetched than they need, and what is fetched is checked."""

from shared.datasets.fetching import fetch, scratch_folder
from shared.datasets.rows import DatasetVersionRow
from shared.datasets.spool import HEAD_BYTES
from shared.object_store import ObjectStore
from shared.tables.columns import Column
from shared.tables.inspected import Preview
from shared.tables.reader import Reader
from shared.tables.reading import Reading

# Their beginning alone says nothing.
_WHOLE = {"parquet", "xlsx"}


def preview(version: DatasetVersionRow, rows: int, *, store: ObjectStore, bucket: str, reader: Reader) -> Preview:
    """The first rows of a dataset version; all of them when it has fewer.

    Raises:
        StoreUnavailable: when the object store does not answer, or has lost the file.
        DatasetCorrupt: when what was fetched is not what was uploaded. The beginning of a long version that an older
            release took cannot be checked.
        TableTooLarge: when reading takes too much memory or time.
    """
    reading = Reading.model_validate(version.reading)
    columns = [Column.model_validate(column) for column in version.columns]
    if reading.format not in _WHOLE and version.size_bytes > HEAD_BYTES:
        shown = _of_beginning(version, rows, reading, columns, store=store, bucket=bucket, reader=reader)
        if shown is not None:
            return shown
    with scratch_folder(reader.folder) as folder:
        path = fetch(store, bucket, version.object_key, folder, end=None, sha256=version.sha256)
        return reader.preview(path, reading, rows, columns)


def _of_beginning(
    version: DatasetVersionRow,
    rows: int,
    reading: Reading,
    columns: list[Column],
    *,
    store: ObjectStore,
    bucket: str,
    reader: Reader,
) -> Preview | None:
    """The first rows, if the beginning of the file holds as many."""
    with scratch_folder(reader.folder) as folder:
        path = fetch(store, bucket, version.object_key, folder, end=HEAD_BYTES, sha256=version.head_sha256)
        shown = reader.preview(path, reading, rows, columns, partial=True)
    return shown if len(shown.rows) >= min(rows, version.rows) else None
