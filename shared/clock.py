"""Time as the database tells it, and the one column type for it.

Leases and due times are compared by the database's own clock, so that workers whose clocks differ agree.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, DateTime, Dialect, Float, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


def in_words(moment: datetime) -> str:
    """A moment as sentences have it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d at %H:%M:%S} UTC"


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, aware in Python on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what the database keeps; SQLite keeps UTC without a zone."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every stored moment its zone back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Now(FunctionElement[datetime]):
    """The database's clock, moved by `seconds` (negative for the past)."""

    type = Instant()
    inherit_cache = True
    name = "now"

    def __init__(self, seconds: float | BindParameter[float] = 0.0) -> None:
        given = isinstance(seconds, BindParameter)
        super().__init__(seconds if given else bindparam(None, float(seconds), type_=Float()))


@compiles(Now, "sqlite")
def _sqlite_now(element: Now, compiler: SQLCompiler, **kw: Any) -> str:
    # Milliseconds padded to six digits: the form in which SQLAlchemy writes and compares moments.
    (seconds,) = element.clauses
    offset = compiler.process(seconds, **kw)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({offset}) || ' seconds')"


@compiles(Now, "postgresql")
def _postgresql_now(element: Now, compiler: SQLCompiler, **kw: Any) -> str:
    # Not now(): that is the start of the transaction, and the transaction may have waited for a lock since then.
    (seconds,) = element.clauses
    return f"(statement_timestamp() + make_interval(secs => {compiler.process(seconds, **kw)}))"
