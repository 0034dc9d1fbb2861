"""Rows that are inserted unless they are there already."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import Base

# The SQL is the same, but SQLAlchemy has a class for each database.
Insert = sqlite.Insert | postgresql.Insert


def insert_missing(session: Session, row: type[Base]) -> Insert:
    """An INSERT that leaves out the rows whose keys are taken; give it its values."""
    return insert_missing_for(session.get_bind().dialect.name, row)


def insert_missing_for(dialect: str, row: type[Base]) -> Insert:
    """As `insert_missing`, for statements that are kept: `dialect` is "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        return sqlite.insert(row).on_conflict_do_nothing()
    return postgresql.insert(row).on_conflict_do_nothing()
