"""Uploads that never came to their end, and what they leave in the catalog."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.discarded import discard, remove_now
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf
from shared.settings import Settings

log = get_logger(__name__)

# Longer than any honest upload takes from its row to its commit.
STALE_SECONDS = 3600


def clean_stale_uploads(database: Database, store: ObjectStore, settings: Settings) -> int:
    """Forget uploads that were never finished because their process died; how many there were."""
    stale = (
        DatasetVersionRow.state == VersionState.UPLOADING,
        DatasetVersionRow.created_at < Now(-STALE_SECONDS),
    )
    with database.read() as session:
        if session.scalar(select(DatasetVersionRow.id).where(*stale).limit(1)) is None:
            return 0
    with database.write() as session:
        gone = session.execute(
            delete(DatasetVersionRow)
            .where(*stale)
            .returning(DatasetVersionRow.object_key, DatasetVersionRow.dataset_id)
        ).all()
        for dataset_id in {row.dataset_id for row in gone}:
            forget_if_empty(session, dataset_id)
        keys = [row.object_key for row in gone]
        discard(session, Shelf.DATASETS, keys)
    log.info("stale_uploads_removed", keys=keys)
    remove_now(database, store, settings)
    return len(keys)


def forget_empty_datasets(database: Database) -> int:
    """Remove old catalog rows that have no version, not even one under way; how many there were."""
    versions = select(DatasetVersionRow.id).where(DatasetVersionRow.dataset_id == DatasetRow.id)
    empty = select(DatasetRow.id).where(
        DatasetRow.location.is_(None), ~versions.exists(), DatasetRow.created_at < Now(-STALE_SECONDS)
    )
    with database.read() as session:
        found = session.scalars(empty).all()
    for dataset_id in found:
        with database.write() as session:
            forget_if_empty(session, dataset_id)
    return len(found)


def forget_if_empty(session: Session, dataset_id: int) -> None:
    """Remove a dataset that never had a version. Locked first: the second statement sees what others committed."""
    session.execute(select(DatasetRow.id).where(DatasetRow.id == dataset_id).with_for_update())
    versions = select(DatasetVersionRow.id).where(DatasetVersionRow.dataset_id == dataset_id)
    session.execute(
        delete(DatasetRow).where(DatasetRow.id == dataset_id, DatasetRow.location.is_(None), ~versions.exists())
    )
