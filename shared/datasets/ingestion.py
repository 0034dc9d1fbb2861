"""The one path into the catalog: for uploads, for versions that are read anew, and for bundled examples.

A row `uploading` is committed first, then the object is stored, then one transaction makes the version ready and the
dataset point to it: an object that readers can see is complete, and one that nobody names was left by a crash.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.accounts.sight import ALL_SEEING, seeing
from shared.database import Database
from shared.datasets.catalog import CatalogEntry
from shared.datasets.naming import new_object_key
from shared.datasets.publishing import Incoming, Ingestion, publish, stage, take_again
from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.datasets.spool import Spooled, written_through
from shared.datasets.unfinished import clean_stale_uploads, forget_if_empty
from shared.discarded import discard, remove_now
from shared.errors import ScratchUnavailable
from shared.logging import get_logger
from shared.object_store import DigestMismatch, ObjectExists, ObjectMissing, ObjectStore
from shared.object_store.shelves import Shelf
from shared.settings import Settings
from shared.tables.inspected import Inspection
from shared.tables.reader import Reader

log = get_logger(__name__)


@dataclass(frozen=True)
class Ingestor:
    """The parts that an ingestion works with."""

    database: Database
    store: ObjectStore
    reader: Reader
    settings: Settings

    def ingest(
        self,
        incoming: Incoming,
        *,
        only_if_new: bool = False,
        hold: Callable[[Session], None] | None = None,
        mark: Callable[[Session], None] | None = None,
    ) -> Ingestion:
        """Check a file and make it the newest version of the dataset `name`, which is normalised.

        If the newest version has the same bytes, and is read as the options say where there are some, that version is
        returned, and its file is put back if the store has lost it. In both cases an archived dataset comes back. With
        `only_if_new` other data under that name is left alone. `hold` and `mark` are the first and the last part of the
        transaction that makes a new version visible; what they raise leaves nothing behind.

        Raises:
            InvalidTable: when the file is not a table; `Reader.inspect` lists the related errors.
            ExampleNameTaken: with `only_if_new`, when the name holds other data.
            UploadOvertaken: when the dataset was deleted meanwhile.
            StoreUnavailable: when the object store does not answer.
            ScratchUnavailable: when the file changed on its way through the local disk.
        """
        with seeing(ALL_SEEING):
            clean_stale_uploads(self.database, self.store, self.settings)
        if incoming.any_reading and (known := self._known(incoming)) is not None:
            return self._bring_back(known, incoming.file)
        with written_through(incoming.file):
            found = self.reader.inspect(incoming.file.path, incoming.options if incoming.options.said else None)
        if not incoming.any_reading and (known := self._known(incoming, found)) is not None:
            return self._bring_back(known, incoming.file)
        return self._add(incoming, found, only_if_new=only_if_new, hold=hold, mark=mark)

    def _known(self, incoming: Incoming, found: Inspection | None = None) -> CatalogEntry | None:
        with self.database.write() as session:
            return take_again(session, incoming, found)

    def _add(
        self,
        incoming: Incoming,
        found: Inspection,
        *,
        only_if_new: bool,
        hold: Callable[[Session], None] | None,
        mark: Callable[[Session], None] | None,
    ) -> Ingestion:
        key = new_object_key(incoming.name, found.reading.extension)
        with self.database.write() as session:
            staged = stage(session, key, incoming, found)
        with self._undone_on_failure(staged.dataset_id, key):
            self._store(key, incoming.file)
            with self.database.write() as session:
                if hold is not None:
                    hold(session)
                done = publish(session, staged, incoming, found, only_if_new=only_if_new)
                if mark is not None:
                    mark(session)
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
            self.store.put_new(self.settings.datasets_bucket, key, file.path, sha256=file.sha256, final=True)
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
            with seeing(ALL_SEEING), self.database.write() as session:
                row = DatasetVersionRow.object_key == key
                ready = session.scalar(select(row).where(row, DatasetVersionRow.state == VersionState.READY))
                if not ready:
                    session.execute(delete(DatasetVersionRow).where(row))
                    forget_if_empty(session, dataset_id)
                    discard(session, Shelf.DATASETS, [key])
            if not ready:
                remove_now(self.database, self.store, self.settings)
            raise
