"""What the account of the API and the workers can do with the database: change rows, and nothing else."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from shared.database import Database
from shared.database_access import explained
from shared.errors import WrongSettings
from shared.migration import check_schema, upgrade
from tests.support.database_accounts import Accounts, two_accounts
from tests.support.servers import PostgreSQL

NOT_ALLOWED = [
    "UPDATE audit_entries SET actor = 'somebody else'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries",
    "TRUNCATE jobs",
    "UPDATE alembic_version SET version_num = '0001'",
    "DROP TABLE jobs",
    "ALTER TABLE users DROP COLUMN role",
    "CREATE TABLE mine (a integer)",
    "CREATE TEMPORARY TABLE mine (a integer)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
]


@pytest.fixture
def accounts(postgres: PostgreSQL) -> Iterator[Accounts]:
    """One database with both accounts."""
    with two_accounts(postgres) as accounts:
        yield accounts


@pytest.mark.asvs("16.4.2")
def test_the_account_of_the_parts_changes_no_tables_and_no_entry_of_the_record(accounts: Accounts) -> None:
    for statement in NOT_ALLOWED:
        with psycopg.connect(accounts.parts) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())
    with psycopg.connect(accounts.parts) as connection:
        held = connection.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = CURRENT_USER"
        ).fetchall()
    assert {kind for _, kind in held} == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {kind for table, kind in held if table == "audit_entries"} == {"SELECT", "INSERT"}
    assert {kind for table, kind in held if table == "alembic_version"} == {"SELECT"}


def test_it_takes_present_tables_and_is_told_who_brings_older_ones_up_to_date(accounts: Accounts) -> None:
    with closing(Database(accounts.parts)) as database:
        check_schema(database)
        upgrade(database)
        with psycopg.connect(accounts.owner) as owner:
            owner.execute("UPDATE alembic_version SET version_num = '0023'")
        with pytest.raises(WrongSettings, match="older release"):
            check_schema(database)
        with pytest.raises(WrongSettings, match="with the user who owns the tables"), explained():
            upgrade(database)
