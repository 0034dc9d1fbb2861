"""Collects objects that no row names: what crashes and cancelled attempts leave in the store.

In doubt nothing is deleted. An object is deleted when the platform made its name, no row names it, no job can still
name it, and both the store and the database have known it for the grace period; all of that is checked again right
before. Any number of processes may do this at once.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.database import Database
from shared.fail_points import fail_point
from shared.logging import get_logger
from shared.object_store import ObjectEntry, ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.registry import orphans
from shared.registry.orphans import Removal
from shared.registry.references import is_claimed, is_ours, named
from shared.settings import Settings

log = get_logger(__name__)


@dataclass
class Collected:
    """Counts of one round: objects without a row (of any age), those of them that were deleted, and foreign objects."""

    orphans: int = 0
    deleted: int = 0
    foreign: int = 0


@dataclass(frozen=True)
class OrphanCollector:
    """The parts that a collection works with; it stops between two objects once `stopping` says so."""

    database: Database
    store: ObjectStore
    settings: Settings
    stopping: Callable[[], bool] = field(default=lambda: False)

    def collect(self) -> Collected:
        """Look through all buckets once.

        Raises:
            StoreUnavailable, DatabaseUnavailable: when one of them does not answer; what is left is for the next round.
        """
        found = Collected()
        if self.settings.collect != "off":
            for shelf in Shelf:
                self._collect(shelf, found)
        return found

    def _collect(self, shelf: Shelf, found: Collected) -> None:
        # The time is read before the list, so that an object never seems older than it is.
        now = self.store.now()
        with self.database.read() as session:
            known = orphans.known(session, shelf)
        unnamed = {entry.key: entry for entry in self._unnamed(shelf, found)}
        if self.stopping():
            return
        self._note(shelf, new=unnamed.keys() - known.keys(), gone=known.keys() - unnamed.keys())
        found.orphans += len(unnamed)
        old = {key for key, entry in unnamed.items() if now - entry.modified > self._grace}
        with self.database.read() as session:
            ripe = orphans.ripe(session, shelf, old, grace_seconds=self._grace.total_seconds())
        for key in sorted(ripe):
            if not self.stopping():
                found.deleted += self._judge(Removal(shelf, key, known.get(key, 0)), unnamed[key], now)

    def _unnamed(self, shelf: Shelf, found: Collected) -> Iterator[ObjectEntry]:
        """The objects of our making that no row names; the database is asked after the list."""
        for entries in orphans.batches(self.store.list(bucket_of(shelf, self.settings))):
            if self.stopping():
                return
            ours = {entry.key: entry for entry in entries if is_ours(shelf, entry.key)}
            found.foreign += len(entries) - len(ours)
            with self.database.read() as session:
                references = named(session, shelf, ours)
            yield from (entry for key, entry in ours.items() if key not in references)

    def _note(self, shelf: Shelf, *, new: Iterable[str], gone: Iterable[str]) -> None:
        news, leaving = list(new), list(gone)
        if news or leaving:
            with self.database.write() as session:
                orphans.note(session, shelf, news)
                orphans.forget(session, shelf, leaving)

    def _judge(self, before: Removal, entry: ObjectEntry, now: datetime) -> bool:
        facts = {
            "bucket": bucket_of(before.shelf, self.settings),
            "key": entry.key,
            "size": entry.size,
            "age_seconds": round((now - entry.modified).total_seconds()),
        }
        if self.settings.collect == "report":
            with self.database.read() as session:
                spoken_for = is_claimed(session, before.shelf, entry.key) or named(session, before.shelf, [entry.key])
            if not spoken_for:
                log.info("orphan_found", **facts)
            return False
        deleted = self._delete(before, entry)
        if deleted:
            log.info("orphan_deleted", **facts)
        return deleted

    def _delete(self, before: Removal, entry: ObjectEntry) -> bool:
        with self.database.write() as session:
            removal = orphans.begin_removal(session, before, grace_seconds=self._grace.total_seconds())
        if removal is None:
            return False
        fail_point("collect.before_delete")
        by = time.time() + orphans.CALL_SECONDS
        with self.database.read() as session:
            # This process may have been stopped since then.
            if not orphans.may_remove(session, removal):
                return False
        fail_point("collect.at_delete")
        # If this process stops here and goes on later, only the store can protect a new object of this name.
        deleted = self.store.delete_listed(bucket_of(before.shelf, self.settings), entry, by=by)
        with self.database.write() as session:
            orphans.end_removal(session, removal)
        return deleted

    @property
    def _grace(self) -> timedelta:
        return timedelta(hours=self.settings.orphan_hours)
