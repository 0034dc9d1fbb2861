"""The first rows of a stored dataset: no more of it is fetched than they need, and what is fetched is checked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.datasets.rows import DatasetVersionRow
from shared.datasets.spool import HEAD_BYTES
from shared.errors import DatasetCorrupt, StoreUnavailable
from shared.hashing import chunks_of, copy_hashed
from shared.object_store import ObjectMissing, ObjectStore
from shared.scratch import scratch_errors
from shared.tables.columns import Column
from shared.tables.inspected import Preview
from shared.tables.reader import Reader
from shared.tables.reading import Reading

_CHUNK_BYTES = 2**20


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
    if reading.format != "parquet" and version.size_bytes > HEAD_BYTES:
        shown = _of_beginning(version, rows, reading, columns, store=store, bucket=bucket, reader=reader)
        if shown is not None:
            return shown
    with _folder(reader) as folder:
        path = _fetch(store, bucket, version.object_key, folder, end=None, sha256=version.sha256)
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
    with _folder(reader) as folder:
        path = _fetch(store, bucket, version.object_key, folder, end=HEAD_BYTES, sha256=version.head_sha256)
        shown = reader.preview(path, reading, rows, columns, partial=True)
    return shown if len(shown.rows) >= min(rows, version.rows) else None


@contextmanager
def _folder(reader: Reader) -> Iterator[Path]:
    with scratch_errors(), tempfile.TemporaryDirectory(prefix="preview-", dir=reader.folder) as folder:
        yield Path(folder)


def _fetch(store: ObjectStore, bucket: str, key: str, folder: Path, *, end: int | None, sha256: str | None) -> Path:
    path = folder / "file"
    try:
        with store.open(bucket, key, end=end) as source, path.open("wb") as target:
            digest = copy_hashed(chunks_of(source), target)
    except ObjectMissing:
        raise StoreUnavailable("The object store has lost the file of this dataset version. Upload it again.") from None
    if sha256 is not None and digest.sha256 != sha256:
        raise DatasetCorrupt(
            "The stored file of this dataset version is not what was uploaded. Bring it back from a backup of the "
            "bucket, or, if it is the newest version, upload the same file again."
        )
    return path
