"""PostgreSQL with two accounts, made as docs/security.md says: one owns the tables, the other one runs the platform."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
from sqlalchemy import make_url

from shared.database import Database
from shared.migration import upgrade
from tests.support.documented import ROOT, blocks
from tests.support.servers import PostgreSQL

PAGE = ROOT / "docs" / "security.md"


class Accounts(NamedTuple):
    """The URLs of one database for its two accounts."""

    owner: str
    parts: str


@contextmanager
def two_accounts(server: PostgreSQL) -> Iterator[Accounts]:
    """A migrated database with both of them; they and it are dropped at the end."""
    suffix = f"_{secrets.token_hex(4)}"
    by_administrator, before, after = (
        block.text.replace("mlmini_owner", f"owner{suffix}")
        .replace("mlmini_parts", f"parts{suffix}")
        .replace("DATABASE mlmini ", f"DATABASE mlmini{suffix} ")
        for block in blocks(PAGE)
        if block.language == "sql"
    )
    url = make_url(server.url(f"mlmini{suffix}"))
    owner, parts = (
        url.set(username=f"{name}{suffix}").render_as_string(hide_password=False) for name in ("owner", "parts")
    )
    _run(server.url(), by_administrator)
    try:
        _run(owner, before)
        with closing(Database(owner)) as database:
            upgrade(database)
        _run(owner, after)
        yield Accounts(owner, parts)
    finally:
        server.execute(f"DROP DATABASE mlmini{suffix} WITH (FORCE)")
        server.execute(f"DROP ROLE owner{suffix}, parts{suffix}")


def _run(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements.split(";\n"):
            if statement:
                connection.execute(statement.encode())
