"""What people write on a model: tags to find it by, and a note."""

from collections.abc import Iterable

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from shared.registry.rows import ModelTagRow, RegistryRow


def write_on(session: Session, version: int, *, tags: Iterable[str], note: str | None) -> None:
    """Write on a model what its training was asked with, in the transaction that registers it."""
    if tags:
        put_tags(session, version, tags)
    if note is not None:
        put_note(session, version, note)


def put_tags(session: Session, version: int, tags: Iterable[str]) -> None:
    """Have a registered model carry these tags and no others."""
    # Of two transactions that do this at once, the second waits for the first (SQLite has one writer anyway).
    session.execute(select(RegistryRow.version).where(RegistryRow.version == version).with_for_update())
    session.execute(delete(ModelTagRow).where(ModelTagRow.version == version))
    rows = [{"version": version, "tag": tag} for tag in sorted(set(tags))]
    if rows:
        session.execute(insert(ModelTagRow), rows)


def put_note(session: Session, version: int, note: str | None) -> None:
    """Have a registered model carry this note, or none."""
    session.execute(update(RegistryRow).where(RegistryRow.version == version).values(note=note))
