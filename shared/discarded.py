"""The objects that a deletion leaves to be removed: the list is committed with the deletion, the objects go after it.

Whoever deletes removes them at once. What a crash or an outage keeps it from, the next janitor does. Keys on the list
are never used again, so any number of processes may remove the same object, at any time.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.clock import Instant, Now
from shared.database import Base, Database
from shared.errors import Unavailable
from shared.fail_points import fail_point
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.settings import Settings
from shared.upsert import insert_missing

log = get_logger(__name__)

_BATCH = 100


class DiscardedObjectRow(Base):
    """An object that no other row names any more; this row is deleted once the object is."""

    __tablename__ = "discarded_objects"

    shelf: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(1024), primary_key=True)
    discarded_at: Mapped[datetime] = mapped_column(Instant, default=Now())


def discard(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Put objects on the list, in the transaction that deletes the last row which names them."""
    if keys:
        rows = [{"shelf": shelf, "key": key} for key in sorted(set(keys))]
        session.execute(insert_missing(session, DiscardedObjectRow), rows)


def is_discarded(session: Session, shelf: Shelf, key: str) -> bool:
    """Whether an object is on the list."""
    return session.get(DiscardedObjectRow, (shelf, key), populate_existing=True) is not None


def remove_discarded(
    database: Database, store: ObjectStore, settings: Settings, *, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Remove the objects on the list, until `stopping` says so; how many there were.

    Raises:
        StoreUnavailable, DatabaseUnavailable: when one of them does not answer; the rest stays on the list.
    """
    removed = 0
    while not stopping() and (some := _some(database)):
        for shelf, key in some:
            fail_point("discard.before_remove")
            store.delete(bucket_of(Shelf(shelf), settings), key)
            with database.write() as session:
                named = (DiscardedObjectRow.shelf == shelf, DiscardedObjectRow.key == key)
                session.execute(delete(DiscardedObjectRow).where(*named))
            log.info("discarded_object_removed", shelf=shelf, key=key)
        removed += len(some)
    return removed


def remove_now(database: Database, store: ObjectStore, settings: Settings) -> None:
    """Remove the objects on the list if that is possible now; what is left is for the janitor."""
    try:
        remove_discarded(database, store, settings)
    except Unavailable as error:
        log.warning("discarded_objects_left", error=error.code)


def _some(database: Database) -> list[tuple[str, str]]:
    oldest = DiscardedObjectRow.discarded_at, DiscardedObjectRow.key
    query = select(DiscardedObjectRow.shelf, DiscardedObjectRow.key).order_by(*oldest).limit(_BATCH)
    with database.read() as session:
        return [(row.shelf, row.key) for row in session.execute(query)]
