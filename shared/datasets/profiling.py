"""The profile of a dataset version: kept since its upload, or made now for one that an older release took."""

from typing import Any

from shared.datasets.fetching import fetch, scratch_folder
from shared.datasets.rows import DatasetVersionRow
from shared.errors import UnknownColumn, closest, meant
from shared.object_store import ObjectStore
from shared.tables.columns import Column
from shared.tables.compared import TableFile
from shared.tables.inspected import TableProfile
from shared.tables.names import settled_name
from shared.tables.reader import Reader
from shared.tables.reading import Reading
from shared.tables.relations import Relations

_SHOWN_CHARACTERS = 80


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


def relations_of(
    version: DatasetVersionRow, target: str, *, name: str, store: ObjectStore, bucket: str, reader: Reader
) -> Relations:
    """How the columns of a version of the dataset `name` go together, and what speaks against a target.

    Raises:
        UnknownColumn: when there is no such column, with the one that may be meant.
        StoreUnavailable, DatasetCorrupt, TableTooLarge: as a preview does.
    """
    columns = [Column.model_validate(column) for column in version.columns]
    names = [column.name for column in columns]
    settled = settled_name(target, names)
    if settled not in names:
        near = closest(target, names)
        told = meant(near) or f" GET /datasets/{name} lists its columns."
        sentence = f"Target column '{target[:_SHOWN_CHARACTERS]}' is not in dataset '{name}'.{told}"
        errors = [{"loc": ["query", "target"], "msg": sentence}]
        raise UnknownColumn(sentence, errors=errors, did_you_mean=near, available=names)
    with scratch_folder(reader.folder) as folder:
        path = fetch(store, bucket, version.object_key, folder, end=None, sha256=version.sha256)
        return reader.relate(TableFile(path, Reading.model_validate(version.reading), columns), settled)
