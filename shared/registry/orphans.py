"""The steps by which an object that no row names is removed, each one guarded statement.

An object goes when both clocks agree: the store has had it for the grace period, and this database has known it as an
orphan for as long. So a database that was restored from a backup does not take away at once what it knows nothing of.

Whoever begins a removal raises `removals` and holds a lease on it, under the registry's lock. A promotion may find its
target stored already, so it reads the number before it looks at the object and again in its commit: what somebody has
begun to remove in between does not become a deployment.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.errors import ArtifactInRemoval
from shared.registry.deployments import hold_registry
from shared.registry.references import is_claimed, named
from shared.registry.rows import OrphanRow, Shelf

# Longer than a store that does not answer holds up the call that deletes; the second half of it begins no call.
REMOVAL_SECONDS = 600
# Longer than any promotion takes from its look at the store to its commit.
_REMEMBERED_SECONDS = 86_400
_BATCH = 500


class Removal(NamedTuple):
    """The right to delete one object, for as long as its number is the newest of that object; 0 is no removal yet."""

    shelf: Shelf
    key: str
    number: int


def note(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Note objects that no row names, each from the first time on."""
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    for batch in _batches(keys):
        rows = [{"shelf": shelf, "key": key, "seen_at": Now(), "removals": 0} for key in batch]
        session.execute(insert(OrphanRow).values(rows).on_conflict_do_nothing())


def forget(session: Session, shelf: Shelf, keys: Collection[str]) -> None:
    """Forget objects that are gone or named now, but for those that somebody removes or has just removed."""
    for batch in _batches(keys):
        session.execute(delete(OrphanRow).where(_one_of(shelf, batch), _forgettable()))


def known(session: Session, shelf: Shelf) -> dict[str, int]:
    """How often somebody began to remove each object that is an orphan, or was one lately."""
    rows = select(OrphanRow.key, OrphanRow.removals).where(OrphanRow.shelf == shelf)
    return {row.key: row.removals for row in session.execute(rows)}


def ripe(session: Session, shelf: Shelf, keys: Collection[str], *, grace_seconds: float) -> set[str]:
    """Those of the keys that have been known as orphans for the grace period and that nobody is removing."""
    found: set[str] = set()
    for batch in _batches(keys):
        found.update(session.scalars(select(OrphanRow.key).where(_one_of(shelf, batch), _is_ripe(grace_seconds))))
    return found


def begin_removal(session: Session, before: Removal, *, grace_seconds: float) -> Removal | None:
    """Take the right to delete an object, if nobody took it after `before`, the last one that the caller knows of.

    None when somebody did, and when the object is spoken for after all.
    """
    hold_registry(session)
    if is_claimed(session, before.shelf, before.key) or named(session, before.shelf, [before.key]):
        return None
    number = session.scalar(
        update(OrphanRow)
        .where(_is(before), _is_ripe(grace_seconds))
        .values(removals=OrphanRow.removals + 1, removal_until=Now(REMOVAL_SECONDS))
        .returning(OrphanRow.removals)
    )
    return None if number is None else before._replace(number=number)


def may_remove(session: Session, removal: Removal) -> bool:
    """Whether the right still holds, and will for as long as one call of the store takes."""
    held = select(OrphanRow.key).where(_is(removal), OrphanRow.removal_until > Now(REMOVAL_SECONDS / 2))
    return session.scalar(held) is not None


def end_removal(session: Session, removal: Removal) -> None:
    """Give the right back once the object is gone; should one of its name come again, it has its full grace."""
    session.execute(update(OrphanRow).where(_is(removal)).values(removal_until=Now(), seen_at=Now()))


def removals_of(session: Session, shelf: Shelf, key: str) -> int:
    """How often somebody began to remove an object of that name.

    Raises:
        ArtifactInRemoval: when somebody is at it.
    """
    row = session.execute(
        select(OrphanRow.removals, func.coalesce(OrphanRow.removal_until > Now(), False).label("begun")).where(
            _one_of(shelf, [key])
        )
    ).one_or_none()
    if row is not None and row.begun:
        raise ArtifactInRemoval(f"An old file named '{key}' is just being removed. Try again in a few minutes.")
    return 0 if row is None else row.removals


def _is(removal: Removal) -> ColumnElement[bool]:
    return and_(_one_of(removal.shelf, [removal.key]), OrphanRow.removals == removal.number)


def _one_of(shelf: Shelf, keys: Collection[str]) -> ColumnElement[bool]:
    return and_(OrphanRow.shelf == shelf, OrphanRow.key.in_(keys))


def _is_ripe(grace_seconds: float) -> ColumnElement[bool]:
    return and_(
        OrphanRow.seen_at <= Now(-grace_seconds),
        or_(OrphanRow.removal_until.is_(None), OrphanRow.removal_until <= Now()),
    )


def _forgettable() -> ColumnElement[bool]:
    return or_(OrphanRow.removal_until.is_(None), OrphanRow.removal_until < Now(-_REMEMBERED_SECONDS))


def _batches(keys: Collection[str]) -> list[list[str]]:
    every = sorted(keys)
    return [every[start : start + _BATCH] for start in range(0, len(every), _BATCH)]
