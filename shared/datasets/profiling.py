"""The profile of a dataset version: kept since its upload, or made now for one that an older release took."""

from typing import Any

from shared.datasets.fetching import fetch, scratch_folder
from shared.datasets.rows import DatasetVersionRow
from shared.object_store import ObjectStore
from shared.tables.columns import Column
from shared.tables.inspected import TableProfile
from shared.tables.reader import Reader
from shared.tables.reading import Reading


def profile_of(
    version: DatasetVersionRow, kept: dict[str, Any] | None, *, store: ObjectStore, bucket: str, reader: Reader
) -> TableProfile:
    """How the values of a version are spread; `kept` is what its row has of that.

    Raises:
        StoreUnavailable, DatasetCorrupt, TableTooLarge: as a preview does, where nothing was kept.
    """
    if kept is not None:
        return TableProfile.model_validate(kept)
    reading = Reading.model_validate(version.reading)
    columns = [Column.model_validate(column) for column in version.columns]
    with scratch_folder(reader.folder) as folder:
        path = fetch(store, bucket, version.object_key, folder, end=None, sha256=version.sha256)
        return reader.profile(path, reading, columns)
