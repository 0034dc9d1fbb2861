"""The table of what workers found in own packages: each release of each class once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.clock import Instant, Now
from shared.database import Base
from shared.estimators.catalogue import Estimator, know_own
from shared.estimators.own.declared import OwnClass
from shared.upsert import insert_missing


class OwnEstimatorRow(Base):
    """A class of an own package: what a worker found when it imported it, or why that was not possible."""

    __tablename__ = "own_estimators"

    path: Mapped[str] = mapped_column(String(512), primary_key=True)
    release: Mapped[str] = mapped_column(String(64), primary_key=True)
    distribution: Mapped[str] = mapped_column(String(256))
    description: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    problem: Mapped[str | None] = mapped_column(Text)
    described_at: Mapped[datetime] = mapped_column(Instant)


def keep(session: Session, found: OwnClass, *, description: Estimator | None, problem: str | None) -> None:
    """Keep what a worker found of a release; what was found before is replaced."""
    told = None if description is None else description.model_dump(mode="json")
    values = {"distribution": found.distribution, "description": told, "problem": problem, "described_at": Now()}
    # Several workers may start at once with the same package.
    key = {"path": found.path, "release": found.release}
    session.execute(insert_missing(session, OwnEstimatorRow).values({**key, **values}))
    session.execute(update(OwnEstimatorRow).filter_by(**key).values(values))


def refresh(session: Session) -> None:
    """Have this process know the estimators as they were described last."""
    know_own(_described(session))


def problems_found(session: Session, classes: Iterable[OwnClass]) -> dict[str, str | None]:
    """By path, why a worker could not use a class, or None for one that it could; those not looked at are left out."""
    found = {}
    for each in classes:
        row = session.get(OwnEstimatorRow, (each.path, each.release))
        if row is not None:
            found[each.path] = row.problem
    return found


def _described(session: Session) -> Sequence[Estimator]:
    newest: dict[str, Estimator] = {}
    query = select(OwnEstimatorRow.path, OwnEstimatorRow.description).order_by(OwnEstimatorRow.described_at)
    for path, description in session.execute(query.where(OwnEstimatorRow.description.is_not(None))):
        newest[path] = Estimator.model_validate(description)
    return list(newest.values())
