"""The one path into the catalog, for uploads and for bundled examples.

A row `uploading` is committed first, then the object is stored, then one transaction makes the version ready and the
dataset point to it: an object that readers can see is complete, and one that nobody names was left by a crash.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.database import Database
from shared.datasets.catalog import CatalogEntry, find_version, next_number
from shared.datasets.naming import new_object_key
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.datasets.spool import Spooled
from shared.datasets.unfinished import clean_stale_uploads, forget_if_empty
from shared.discarded import discard, remove_now
from shared.errors import ExampleNameTaken, ScratchUnavailable, UploadOvertaken
from shared.logging import get_logger
from shared.object_store import DigestMismatch, ObjectExists, ObjectMissing, ObjectStore
from shared.object_store.shelves import Shelf
from shared.settings import Settings
from shared.tables.inspected import Inspection
from shared.tables.reader import Reader
from shared.upsert import insert_missing

log = get_logger(__name__)


@dataclass(frozen=True)
class Ingestion:
    """What came of it; `created` is False when the newest version held these bytes already."""

    entry: CatalogEntry
    created: bool


@dataclass(frozen=True)
class Ingestor:
    """The parts that an ingestion works with."""

    database: Database
    store: ObjectStore
    reader: Reader
    settings: Settings

    def ingest(
        self,
        file: Spooled,
        *,
        name: str,
        description: str | None = None,
        only_if_new: bool = False,
        mark: Callable[[Session], None] | None = None,
    ) -> Ingestion:
        """Check a file and make it the newest version of the dataset `name`, which is normalised.

        If the newest version has the same bytes, that version is returned, and its file is put back if the store has
        lost it. In both cases an archived dataset comes back. With `only_if_new` other data under that name is left
        alone. `mark` is part of the transaction that makes a new version visible; what it raises leaves nothing behind.

        Raises:
            InvalidTable: when the file is not a table; `Reader.inspect` lists the related errors.
            ExampleNameTaken: with `only_if_new`, when the name holds other data.
            UploadOvertaken: when the dataset was deleted meanwhile.
            StoreUnavailable: when the object store does not answer.
            ScratchUnavailable: when the file changed on its way through the local disk.
        """
        clean_stale_uploads(self.database, self.store, self.settings)
        with self.database.write() as session:
            known = _same_again(session, name, file, description)
        if known is not None:
            return self._bring_back(known, file)
        found = self.reader.inspect(file.path)
        key = new_object_key(name, found.reading.extension)
        with self.database.write() as session:
            dataset_id, version_id = _stage(session, name, key, file, found)
        with self._undone_on_failure(dataset_id, key):
            self._store(key, file)
            with self.database.write() as session:
                if mark is not None:
                    mark(session)
                done = _publish(session, dataset_id, version_id, file, description, only_if_new=only_if_new)
        if not done.created:
            remove_now(self.database, self.store, self.settings)
        return done

    def _bring_back(self, known: CatalogEntry, file: Spooled) -> Ingestion:
        """Put the file of a version back where the store has lost it, or holds something else in its place."""
        version, done = known.version, Ingestion(known, created=False)
        bucket, key = self.settings.datasets_bucket, version.object_key
        try:
            stored = self.store.stat(bucket, key)
            if (stored.size, stored.sha256) == (version.size_bytes, version.sha256):
                return done
            self.store.delete(bucket, key)
        except ObjectMissing:
            pass
        log.warning("dataset_file_brought_back", key=key)
        # Another upload of the same bytes may be faster.
        with suppress(ObjectExists):
            self._store(key, file)
        return done

    def _store(self, key: str, file: Spooled) -> None:
        try:
            self.store.put_new(self.settings.datasets_bucket, key, file.path, sha256=file.sha256)
        except DigestMismatch:
            raise ScratchUnavailable(
                "The file changed on the disk of MLMINI_HOME before it was stored. Check that disk, and send it again."
            ) from None

    @contextmanager
    def _undone_on_failure(self, dataset_id: int, key: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # The commit may have succeeded though its answer was lost: a version that is ready is not undone.
            with self.database.write() as session:
                row = DatasetVersionRow.object_key == key
                ready = session.scalar(select(row).where(row, DatasetVersionRow.state == VersionState.READY))
                if not ready:
                    session.execute(delete(DatasetVersionRow).where(row))
                    forget_if_empty(session, dataset_id)
                    discard(session, Shelf.DATASETS, [key])
            if not ready:
                remove_now(self.database, self.store, self.settings)
            raise


def _same_again(session: Session, name: str, file: Spooled, description: str | None) -> CatalogEntry | None:
    """The newest version of a dataset, brought back if it was archived, if it holds the bytes of the file."""
    dataset = session.scalar(select(DatasetRow).where(DatasetRow.name == name, DatasetRow.location.is_not(None)))
    if dataset is None:
        return None
    newest = find_version(session, dataset, None)
    if newest.sha256 != file.sha256:
        return None
    # A release that did not keep this digest may have stored the version.
    newest.head_sha256 = file.head_sha256
    if dataset.archived_at is not None or (description is not None and description != dataset.description):
        dataset.archived_at = None
        dataset.description = dataset.description if description is None else description
        dataset.updated_at = Now()
        session.flush()
        session.refresh(dataset)
    return CatalogEntry(dataset, newest)


def _stage(session: Session, name: str, key: str, file: Spooled, found: Inspection) -> tuple[int, int]:
    """Insert the row of an upload that is under way; the dataset's row too if it is the first of that name."""
    dataset_id = _lock_dataset(session, name)
    version = DatasetVersionRow(
        dataset_id=dataset_id,
        object_key=key,
        format=found.reading.format,
        reading=found.reading.model_dump(mode="json"),
        sha256=file.sha256,
        head_sha256=file.head_sha256,
        size_bytes=file.size_bytes,
        rows=found.rows,
        columns=[column.model_dump(mode="json") for column in found.columns],
        findings=[finding.model_dump(mode="json") for finding in found.findings],
    )
    session.add(version)
    session.flush()
    return dataset_id, version.id


def _lock_dataset(session: Session, name: str) -> int:
    while True:
        session.execute(insert_missing(session, DatasetRow).values(name=name))
        # Locked, so that nobody takes the row away before the version that refers to it is there.
        dataset_id = session.scalar(select(DatasetRow.id).where(DatasetRow.name == name).with_for_update())
        if dataset_id is not None:
            return dataset_id


def _publish(
    session: Session, dataset_id: int, version_id: int, file: Spooled, description: str | None, *, only_if_new: bool
) -> Ingestion:
    dataset = session.scalar(select(DatasetRow).where(DatasetRow.id == dataset_id).with_for_update())
    version = session.get(DatasetVersionRow, version_id)
    if dataset is None or version is None:
        raise UploadOvertaken
    if dataset.location is not None:
        # Somebody else was faster with the same bytes, or with others.
        known = _same_again(session, dataset.name, file, description)
        if known is not None:
            session.delete(version)
            discard(session, Shelf.DATASETS, [version.object_key])
            return Ingestion(known, created=False)
        if only_if_new:
            raise name_taken(dataset.name)
    version.number = next_number(session, dataset.name)
    version.state = VersionState.READY
    session.execute(
        update(DatasetRow)
        .where(DatasetRow.id == dataset_id)
        .values(
            location=f"datasets/{version.object_key}",
            description=dataset.description if description is None else description,
            archived_at=None,
            updated_at=Now(),
        )
    )
    session.flush()
    session.refresh(dataset)
    return Ingestion(CatalogEntry(dataset, version), created=True)


def name_taken(name: str) -> ExampleNameTaken:
    """The error for an example whose name somebody gave to other data."""
    return ExampleNameTaken(
        f"The dataset '{name}' holds other data than the bundled example of that name. Train on it without "
        f"'use_example', or delete it first with DELETE /datasets/{name}."
    )
