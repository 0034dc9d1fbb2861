"""What is said of erased models. What stays of one is decided in `erasure`."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clock import in_words
from shared.errors import ModelErased
from shared.registry.rows import ErasedModelRow


def refuse_erased(session: Session, version: int) -> None:
    """Refuse a version that is not in the registry because it was erased.

    Raises:
        ModelErased: when it was, saying when.
    """
    erased_at = erasures(session, [version]).get(version)
    if erased_at is not None:
        raise ModelErased(
            f"The model of version {version} was erased on {in_words(erased_at)}. GET /models lists the models."
        )


def erasures(session: Session, versions: Collection[int]) -> dict[int, datetime]:
    """When each of the versions was erased; those that were not are left out."""
    query = select(ErasedModelRow.version, ErasedModelRow.erased_at).where(ErasedModelRow.version.in_(versions))
    return {row.version: row.erased_at for row in session.execute(query)}
