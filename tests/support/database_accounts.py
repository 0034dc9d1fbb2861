"""PostgreSQL with two accounts, made as docs/security.md says: one owns the tables, the other one runs the platform."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
from pydantic import SecretStr
from sqlalchemy import make_url

from cli.launcher.parts_account import let_parts_in
from shared.database import Database
from shared.migration import upgrade
from shared.settings import Settings
from tests.support.documented import ROOT, blocks
from tests.support.servers import PostgreSQL

PAGE = ROOT / "docs" / "security.md"


class Accounts(NamedTuple):
    """The URLs of one database for its two accounts."""

    owner: str
    parts: str

    @property
    def settings(self) -> Settings:
        """What the page has for them."""
        return Settings(database_owner_url=SecretStr(self.owner), database_url=SecretStr(self.parts))

    def make_tables(self) -> None:
        """Make the tables by the one, and let the other in."""
        with closing(Database(self.owner)) as database:
            upgrade(database)
            let_parts_in(database, self.settings)


@contextmanager
def two_accounts(server: PostgreSQL) -> Iterator[Accounts]:
    """A database with both of them, without tables; they and it are dropped at the end."""
    suffix = f"_{secrets.token_hex(4)}"
    (block,) = (block for block in blocks(PAGE) if block.language == "sql")
    statements = (
        block.text.replace("mlmini_owner", f"owner{suffix}")
        .replace("mlmini_parts", f"parts{suffix}")
        .replace("DATABASE mlmini ", f"DATABASE mlmini{suffix} ")
    )
    url = make_url(server.url(f"mlmini{suffix}"))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in filter(None, statements.split(";\n")):
            connection.execute(statement.encode())
    try:
        passwords = {"owner": "a secret", "parts": "another secret"}
        yield Accounts(
            *(
                url.set(username=f"{name}{suffix}", password=password).render_as_string(hide_password=False)
                for name, password in passwords.items()
            )
        )
    finally:
        server.execute(f"DROP DATABASE mlmini{suffix} WITH (FORCE)")
        server.execute(f"DROP ROLE owner{suffix}, parts{suffix}")
