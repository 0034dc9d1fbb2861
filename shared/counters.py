"""Numbers that only rise, kept in the database."""

from sqlalchemy import BigInteger, String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.database import Base


class CounterRow(Base):
    """A number that only rises."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


_COUNTERS = Base.metadata.tables[CounterRow.__tablename__]


def raise_counter(session: Session, name: str) -> int:
    """Add one to a counter and return its new value."""
    count = _COUNTERS.c.value
    raised = update(_COUNTERS).where(_COUNTERS.c.name == name).values(value=count + 1).returning(count)
    value: int = session.execute(raised).scalar_one()
    return value
