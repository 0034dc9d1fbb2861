"""The first rows of a stored dataset, without fetching more of it than they need."""

import shutil
import tempfile
from pathlib import Path

from shared.datasets.columns import Column
from shared.datasets.findings import Preview
from shared.datasets.reader import Reader
from shared.datasets.reading import Reading
from shared.datasets.rows import DatasetVersionRow
from shared.errors import StoreUnavailable
from shared.object_store import ObjectMissing, ObjectStore

_BEGINNING_BYTES = 4 * 2**20


def preview(version: DatasetVersionRow, rows: int, *, store: ObjectStore, bucket: str, reader: Reader) -> Preview:
    """The first rows of a dataset version; all of them when it has fewer.

    Raises:
        StoreUnavailable: when the object store does not answer, or has lost the file.
        TableTooLarge: when reading takes too much memory or time.
    """
    reading = Reading.model_validate(version.reading)
    columns = [Column.model_validate(column) for column in version.columns]
    if reading.format != "parquet" and version.size_bytes > _BEGINNING_BYTES:
        shown = _of_beginning(version, rows, reading, columns, store=store, bucket=bucket, reader=reader)
        if shown is not None:
            return shown
    with tempfile.TemporaryDirectory(prefix="preview-", dir=reader.folder) as folder:
        path = _fetch(store, bucket, version.object_key, Path(folder), end=None)
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
    with tempfile.TemporaryDirectory(prefix="preview-", dir=reader.folder) as folder:
        path = _fetch(store, bucket, version.object_key, Path(folder), end=_BEGINNING_BYTES)
        shown = reader.preview(path, reading, rows, columns, partial=True)
    return shown if len(shown.rows) >= min(rows, version.rows) else None


def _fetch(store: ObjectStore, bucket: str, key: str, folder: Path, *, end: int | None) -> Path:
    path = folder / "file"
    try:
        with store.open(bucket, key, end=end) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
    except ObjectMissing:
        raise StoreUnavailable("The object store has lost the file of this dataset version. Upload it again.") from None
    return path
