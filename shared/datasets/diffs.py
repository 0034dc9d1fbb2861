"""Two versions of a dataset, and how far the values of one are from those of the other."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.datasets.catalog import find_entry
from shared.datasets.fetching import fetch, scratch_folder
from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.errors import InvalidRequest, UnknownDatasetVersion
from shared.object_store import ObjectStore
from shared.tables.columns import Column
from shared.tables.compared import TableDrift, TableFile
from shared.tables.reader import Reader
from shared.tables.reading import Reading


class VersionPair(NamedTuple):
    """Two versions of one dataset, the one to begin with and the one that is held against it."""

    before: DatasetVersionRow
    after: DatasetVersionRow


def find_pair(session: Session, name: str, before: int | None, after: int | None) -> VersionPair:
    """The versions of these numbers: by default the newest, and the one that came before.

    Raises:
        UnknownDataset, UnknownDatasetVersion: when there is no such dataset or version, or only one.
        InvalidRequest: when both are the same version.
    """
    newest = find_entry(session, name, after).version
    if before is None:
        before = _before(session, newest)
        if before is None:
            raise UnknownDatasetVersion(
                f"The dataset '{name}' has no version before {newest.number}, so there is nothing to compare it with. "
                "Upload another version, or say which one in 'from'."
            )
    if before == newest.number:
        sentence = f"'from' and 'to' are both version {before}, which does not differ from itself. Name two versions."
        raise InvalidRequest(sentence, errors=[{"loc": ["query", "from"], "msg": sentence}])
    return VersionPair(find_entry(session, name, before).version, newest)


def drift_of(pair: VersionPair, *, store: ObjectStore, bucket: str, reader: Reader) -> TableDrift:
    """How far the values have moved from the first version to the second; both files are read anew.

    Raises:
        StoreUnavailable, DatasetCorrupt, TableTooLarge: as a preview does.
    """
    with scratch_folder(reader.folder) as first, scratch_folder(reader.folder) as second:
        files = []
        for version, folder in zip(pair, (first, second), strict=True):
            path = fetch(store, bucket, version.object_key, folder, end=None, sha256=version.sha256)
            columns = [Column.model_validate(column) for column in version.columns]
            files.append(TableFile(path, Reading.model_validate(version.reading), columns))
        return reader.compare(*files)


def _before(session: Session, version: DatasetVersionRow) -> int | None:
    return session.scalar(
        select(func.max(DatasetVersionRow.number)).where(
            DatasetVersionRow.dataset_id == version.dataset_id,
            DatasetVersionRow.state == VersionState.READY,
            DatasetVersionRow.number < version.number,
        )
    )
