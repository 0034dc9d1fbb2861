"""Removing an object that no row names (an orphan), in steps that are one guarded statement each.

An orphan is removed after the grace period: the store must have had it for that long, and this database must have known
it as an orphan for that long. The second condition protects a database that was restored from a backup: it does not
know newer objects yet, and must not delete them at once.

A removal begins with one statement under the registry's lock: it raises the number `removals` of the object and takes a
lease. A promotion can find its target object in the store already. It reads the number before it looks at the object,
and again in its commit. If a removal began in between, the number differs and the promotion fails, so an object that is
being removed never becomes a deployment.

A janitor can stop in the middle of a removal and go on at any later time. Therefore the object's name is not used again
until the removal was ended, even when the lease is over. Its owner ends it, or another janitor that takes it over after
the lease. If the first janitor deletes after that, the store protects the new object: it deletes only the object that
was listed before, or only within a time limit.
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
from shared.registry.deployments import lock_registry
from shared.registry.references import is_claimed, named
from shared.registry.rows import OrphanRow
from shared.upsert import insert_missing

# A removal calls the store at most START_SECONDS after it began; the call is sent within CALL_SECONDS.
START_SECONDS = 300
CALL_SECONDS = 60
# The lease of a removal. It is longer than the two times above and twice the 15 minutes by which an S3 server lets the
# date of a request be wrong.
REMOVAL_SECONDS = 3600
# How long the number of an ended removal is kept: longer than any promotion takes from its first look to its commit.
_REMEMBERED_SECONDS = 86_400
_BATCH = 500

Item = TypeVar("Item")


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists, each as long as one statement can take."""
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


class Removal(NamedTuple):
    """The right to delete one object. It ends when the object gets a newer number; the number 0 is not a removal."""

    shelf: Shelf
    key: str
    number: int


def note(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Note objects that no row names; one that is noted already keeps the time when it was first seen."""
    for batch in batches(sorted(keys)):
        rows = [{"shelf": shelf, "key": key, "seen_at": Now(), "removals": 0} for key in batch]
        session.execute(insert_missing(session, OrphanRow).values(rows))


def forget(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Forget objects that are gone or named now, except those that somebody is removing or has just removed.

    A removal whose owner vanished is ended here, as nothing is left to remove.
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

    None when somebody did, or when the object is in use after all.
    """
    lock_registry(session)
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
    """Give the right back once the object is gone; a new object of that name gets the full grace period."""
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
