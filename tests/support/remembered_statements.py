"""The SQL that SQLAlchemy writes of a statement, written once for all databases of this process."""

import functools
from typing import Any

import sqlalchemy
from sqlalchemy import Dialect, Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from shared import database

_MOST = 2_000


@functools.cache
def remember_statements() -> None:
    """Have an engine use what another one of its kind has written: a test has a database of its own, and would spend
    more time on the SQL of its few statements than on their answers.

    All SQLite files are opened by the one library, and all databases of PostgreSQL by the one server, so that the SQL
    of a statement is the same for each.
    """
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        # What is written is known by its dialect.
        kind.__eq__ = _same_kind  # type: ignore[method-assign,assignment] # for all of this class
        kind.__hash__ = _of_kind  # type: ignore[method-assign,assignment] # for all of this class
    known: LRUCache[Any, Any] = LRUCache(_MOST)
    create = sqlalchemy.create_engine

    def create_engine(*how: Any, **options: Any) -> Engine:
        engine = create(*how, **options)
        engine._compiled_cache = known
        return engine

    database.create_engine = create_engine  # type: ignore[attr-defined] # it is there, for its own use


def _same_kind(one: Dialect, other: object) -> bool:
    return type(one) is type(other)


def _of_kind(dialect: Dialect) -> int:
    return hash(type(dialect))
