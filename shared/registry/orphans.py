"""The steps by which an object that no row names is removed, each one guarded statement.

An object goes when both clocks agree: the store has had it for the grace period, and this database has known it as an
orphan for as long. So a database that was restored from a backup does not take away at once what it knows nothing of.

Whoever begins a removal raises `removals` and holds a lease on it, under the registry's lock. A promotion may find its
target stored already, so it reads the number before it looks at the object and again in its commit: what somebody has
begun to remove in between does not become a deployment.

Who stands still in the midst of a removal may go on at any time. So the name is not used again, whatever the lease
says, before the removal was ended: by its owner, or by another janitor that takes it over once the lease is past. What
the owner deletes even after that is the store's matter: it deletes the object that was listed, or in time.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.errors import ArtifactInRemoval
from shared.jobs.states import Kind
from shared.object_store.shelves import Shelf
from shared.registry.deployments import hold_registry
from shared.registry.references import is_claimed, named
from shared.registry.rows import OrphanRow
from shared.upsert import insert_missing

# How long after its beginning a removal may call the store, and how long that call may take to be sent.
START_SECONDS = 300
CALL_SECONDS = 60
# Longer than both and twice the quarter of an hour by which an S3 server lets the date of a request be off.
REMOVAL_SECONDS = 3600
# Longer than any promotion takes from its look at the store to its commit.
_REMEMBERED_SECONDS = 86_400
_BATCH = 500

Item = TypeVar("Item")


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """As many at a time as one statement takes."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


class Removal(NamedTuple):
    """The right to delete one object, for as long as its number is the newest of that object; 0 is no removal yet."""

    shelf: Shelf
    key: str
    number: int


def note(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Note objects that no row names, each from the first time on."""
    for batch in batches(sorted(keys)):
        rows = [{"shelf": shelf, "key": key, "seen_at": Now(), "removals": 0} for key in batch]
        session.execute(insert_missing(session, OrphanRow).values(rows))


def forget(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Forget objects that are gone or named now, but for those that somebody removes or has just removed.

    A removal whose owner vanished is ended: there is nothing left of it.
    """
    for batch in batches(sorted(keys)):
        session.execute(
            update(OrphanRow)
            .where(_one_of(shelf, batch), OrphanRow.removal_until <= Now())
            .values(removals=OrphanRow.removals + 1, removal_until=None, seen_at=Now())
        )
        session.execute(delete(OrphanRow).where(_one_of(shelf, batch), _forgettable()))


def known(session: Session, shelf: Shelf) -> dict[str, int]:
    """How often somebody began to remove each object that is an orphan, or was one lately."""
    rows = select(OrphanRow.key, OrphanRow.removals).where(OrphanRow.shelf == shelf)
    return {row.key: row.removals for row in session.execute(rows)}


def ripe(session: Session, shelf: Shelf, keys: Collection[str], *, grace_seconds: float) -> set[str]:
    """Those of the keys that have been known as orphans for the grace period and that nobody is removing."""
    found: set[str] = set()
    for batch in batches(sorted(keys)):
        found.update(session.scalars(select(OrphanRow.key).where(_one_of(shelf, batch), _is_ripe(grace_seconds))))
    return found


def begin_removal(session: Session, before: Removal, *, grace_seconds: float) -> Removal | None:
    """Take the right to delete an object, if nobody took it after `before`, the last one that the caller knows of.

    None when somebody did, and when the object is spoken for after all.
    """
    hold_registry(session)
    # A promotion cannot use the object of a removal that has begun: it waits for the end of it.
    begun = session.scalar(select(OrphanRow.removal_until.is_not(None)).where(_has_number(before)))
    claiming = [Kind.TRAIN] if begun else list(Kind)
    if is_claimed(session, before.shelf, before.key, by=claiming) or named(session, before.shelf, [before.key]):
        return None
    number = session.scalar(
        update(OrphanRow)
        .where(_has_number(before), _is_ripe(grace_seconds))
        .values(removals=OrphanRow.removals + 1, removal_until=Now(REMOVAL_SECONDS))
        .returning(OrphanRow.removals)
    )
    return None if number is None else before._replace(number=number)


def may_remove(session: Session, removal: Removal) -> bool:
    """Whether the right still holds, and will for longer than one call of the store can take."""
    held = select(OrphanRow.key).where(
        _has_number(removal), OrphanRow.removal_until > Now(REMOVAL_SECONDS - START_SECONDS)
    )
    return session.scalar(held) is not None


def end_removal(session: Session, removal: Removal) -> None:
    """Give the right back once the object is gone; should one of its name come again, it has its full grace."""
    session.execute(update(OrphanRow).where(_has_number(removal)).values(removal_until=None, seen_at=Now()))


def removals_of(session: Session, shelf: Shelf, key: str) -> int:
    """How often somebody began to remove an object of that name.

    Raises:
        ArtifactInRemoval: when such a removal was not ended.
    """
    row = session.execute(
        select(OrphanRow.removals, OrphanRow.removal_until).where(_one_of(shelf, [key]))
    ).one_or_none()
    if row is not None and row.removal_until is not None:
        raise ArtifactInRemoval(
            f"An old file named '{key}' is just being removed. Try again in a few minutes; if the worker that does it "
            "was lost, another one ends it after an hour."
        )
    return 0 if row is None else row.removals


def _has_number(removal: Removal) -> ColumnElement[bool]:
    return and_(_one_of(removal.shelf, [removal.key]), OrphanRow.removals == removal.number)


def _one_of(shelf: Shelf, keys: Collection[str]) -> ColumnElement[bool]:
    return and_(OrphanRow.shelf == shelf, OrphanRow.key.in_(keys))


def _is_ripe(grace_seconds: float) -> ColumnElement[bool]:
    return and_(
        OrphanRow.seen_at <= Now(-grace_seconds),
        or_(OrphanRow.removal_until.is_(None), OrphanRow.removal_until <= Now()),
    )


def _forgettable() -> ColumnElement[bool]:
    return and_(
        OrphanRow.removal_until.is_(None),
        or_(OrphanRow.removals == 0, OrphanRow.seen_at < Now(-_REMEMBERED_SECONDS)),
    )
