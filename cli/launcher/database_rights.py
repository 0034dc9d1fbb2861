"""What the account of the API and the workers may do in PostgreSQL: change rows, and nothing else."""

from collections.abc import Iterable
from typing import LiteralString, cast

from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import ProgrammingError

from shared.audit.rows import AuditRow
from shared.database_access import account_of
from shared.errors import WrongSettings
from shared.schema import metadata

_REVISIONS = "alembic_version"
# PostgreSQL's code for what a user may not do.
_FORBIDDEN = "42501"

# What was granted by hand, or by another release, goes first.
_GRANTS: LiteralString = """
REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;
REVOKE ALL ON DATABASE {database} FROM {account};
REVOKE ALL ON SCHEMA {schema} FROM {account};
REVOKE ALL ON {changed}, {appended}, {read} FROM {account};
GRANT CONNECT ON DATABASE {database} TO {account};
GRANT USAGE ON SCHEMA {schema} TO {account};
GRANT SELECT, INSERT, UPDATE, DELETE ON {changed} TO {account};
GRANT SELECT, INSERT ON {appended} TO {account};
GRANT SELECT ON {read} TO {account};
REVOKE ALL ON SEQUENCE {sequences} FROM {account};
GRANT USAGE ON SEQUENCE {sequences} TO {account};
"""

_SEQUENCES_OF_COLUMNS = text("""
SELECT DISTINCT sequence.relname FROM pg_class AS sequence
JOIN pg_depend ON objid = sequence.oid AND deptype IN ('a', 'i')
JOIN pg_class AS held ON held.oid = refobjid
WHERE sequence.relkind = 'S' AND held.relname = ANY(:tables) AND held.relnamespace = CAST(:schema AS regnamespace)
""")

# What an account may do that no grant to itself is the reason for.
_BEYOND = text("""
SELECT
  rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS "it is an administrator",
  pg_has_role(role.oid, datdba, 'MEMBER') AS "it owns the database",
  EXISTS (
    SELECT FROM pg_class WHERE relname = ANY(:tables) AND relnamespace = CAST(:schema AS regnamespace)
    AND pg_has_role(role.oid, relowner, 'MEMBER')
  ) AS "it owns the tables",
  has_schema_privilege(role.oid, :schema, 'CREATE') OR has_database_privilege(role.oid, base.oid, 'CREATE')
    AS "it may make tables",
  has_table_privilege(role.oid, CAST(:appended AS regclass), 'UPDATE, DELETE, TRUNCATE')
    AS "it may change the audit record"
FROM pg_roles AS role, pg_database AS base WHERE rolname = :account AND datname = current_database()
""")


def let_in(owner: Connection, url: URL) -> None:
    """Have the account of a URL be there with its password, and let it change rows and nothing else.

    `owner` is a connection of who owns the tables. Nobody else may do this at the same time. Nothing is committed.

    Raises:
        WrongSettings: when the owner may not make the account, or that may do more for another reason.
        SQLAlchemyError: when the database refuses something else.
    """
    account, password = account_of(url)
    if not account:
        raise WrongSettings("MLMINI_DATABASE_URL: it names no user. Name the account of the API and the workers in it")
    _make(owner, account, password)
    tables = sorted({*metadata.tables, _REVISIONS})
    database, schema = owner.execute(text("SELECT current_database(), current_schema()")).one()
    names = {"account": account, "schema": schema, "appended": AuditRow.__tablename__, "read": _REVISIONS}
    changed = sorted(set(tables) - {names["appended"], names["read"]})
    sequences = owner.scalars(_SEQUENCES_OF_COLUMNS, {"tables": tables, "schema": schema}).all()
    single = {name: _names([value]) for name, value in (names | {"database": database}).items()}
    _run(owner, sql.SQL(_GRANTS).format(changed=_names(changed), sequences=_names(sequences), **single))
    (found,) = owner.execute(_BEYOND, names | {"tables": tables}).mappings()
    more = [what for what, is_so in found.items() if is_so]
    if more:
        raise WrongSettings(
            f"MLMINI_DATABASE_URL: its account {account} may do more than change rows: {', '.join(more)}. Name another "
            "one there; one that does not exist yet is made"
        )


def _make(owner: Connection, account: str, password: str) -> None:
    """Make the account, or set its password to this one."""
    is_there = owner.scalar(text("SELECT true FROM pg_roles WHERE rolname = :account"), {"account": account})
    name = _names([account])
    try:
        with owner.begin_nested():
            if not is_there:
                _run(owner, sql.SQL("CREATE ROLE {}").format(name))
            _run(owner, sql.SQL("ALTER ROLE {} LOGIN").format(name))
            if password:
                # Hashed here, so that no log of the server has it.
                hashed = _driver(owner).pgconn.encrypt_password(password.encode(), account.encode()).decode()
                _run(owner, sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(hashed)))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _FORBIDDEN:
            raise
        # An administrator made it: whether the password is right shows when the account comes.
        if not is_there:
            raise WrongSettings(
                f"MLMINI_DATABASE_OWNER_URL: its user may not make the account {account}. Let an administrator of the "
                "database do it by CREATE ROLE, or allow this user to by ALTER ROLE with CREATEROLE"
            ) from None


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _run(connection: Connection, statement: sql.Composed) -> None:
    quoted = statement.as_string(_driver(connection))
    connection.exec_driver_sql(quoted, execution_options={"no_parameters": True})


def _driver(connection: Connection) -> Driver[tuple[object, ...]]:
    return cast("Driver[tuple[object, ...]]", connection.connection.driver_connection)
