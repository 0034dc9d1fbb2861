"""What the account of the API and the workers can do with the database: change rows, and nothing else."""

import secrets
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from psycopg import OperationalError
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr
from sqlalchemy import event, make_url, text

from cli.doctor.examination import CheckState
from cli.doctor.storage import check_database
from cli.launcher.database_rights import let_in as let_account_in
from cli.launcher.parts_account import let_parts_in
from cli.launcher.prepare import prepare
from cli.launcher.services import without_owner
from shared.accounts.default_secrets import default_secrets
from shared.database import Database
from shared.database_access import explained, open_database
from shared.errors import PlatformError, WrongSettings
from shared.migration import check_schema, upgrade
from shared.platform import Platform
from shared.settings import Settings
from tests.support.database_accounts import Accounts, two_accounts
from tests.support.servers import PostgreSQL

NOT_ALLOWED = [
    "UPDATE audit_entries SET actor = 'somebody else'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries",
    "TRUNCATE jobs",
    "UPDATE alembic_version SET version_num = '0001'",
    "DELETE FROM alembic_version",
    "DROP TABLE jobs",
    "ALTER TABLE users DROP COLUMN role",
    "CREATE TABLE mine (a integer)",
    "CREATE TEMPORARY TABLE mine (a integer)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
]
HELD = """
SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)
WHERE grantee = CURRENT_USER::regrole AND relnamespace = 'public'::regnamespace
"""


@pytest.fixture
def accounts(postgres: PostgreSQL) -> Iterator[Accounts]:
    """One database with both accounts, and its tables."""
    with two_accounts(postgres) as accounts:
        accounts.make_tables()
        yield accounts


@pytest.fixture
def old(postgres: PostgreSQL, postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """A database from before: an administrator made its tables, and everybody may make more, as in PostgreSQL 14."""
    run(postgres_url, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    yield Settings(home=tmp_path, database_owner_url=SecretStr(postgres_url))
    # The database goes first, and what was granted with it.
    postgres.execute(f"DROP DATABASE {make_url(postgres_url).database} WITH (FORCE)")
    postgres.execute(f"CREATE DATABASE {make_url(postgres_url).database}")
    for (name,) in run(postgres.url(), r"SELECT rolname FROM pg_roles WHERE rolname LIKE 'mlmini\_parts\_%'"):
        postgres.execute(f"DROP ROLE {name}")


def connected(url: str) -> psycopg.Connection[tuple[str, ...]]:
    """A connection by a URL as SQLAlchemy reads it: libpq takes no spaces in a password."""
    return psycopg.connect(**make_url(url).translate_connect_args(username="user", database="dbname"))


def run(url: str, statement: str) -> list[tuple[str, ...]]:
    with connected(url) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


def owner_of(settings: Settings) -> str:
    assert settings.database_owner_url is not None
    return settings.database_owner_url.get_secret_value()


def let_in(settings: Settings) -> Settings:
    """What the init does, once."""
    with closing(Database(owner_of(settings))) as owner:
        return let_parts_in(owner, settings)


def refused(url: str) -> list[str]:
    """What is not allowed to an account, of all that should not be."""
    found = []
    for statement in NOT_ALLOWED:
        with connected(url) as connection:
            try:
                connection.execute(statement.encode())
            except InsufficientPrivilege:
                found.append(statement)
            connection.rollback()
    return found


@pytest.mark.asvs("16.4.2")
def test_the_account_of_the_parts_changes_no_tables_and_no_entry_of_the_record(accounts: Accounts) -> None:
    assert refused(accounts.parts) == NOT_ALLOWED
    held = run(accounts.parts, HELD)
    assert {kind for _, kind in held} == {"SELECT", "INSERT", "UPDATE", "DELETE", "USAGE"}
    assert {kind for table, kind in held if table == "audit_entries"} == {"SELECT", "INSERT"}
    assert {kind for table, kind in held if table == "alembic_version"} == {"SELECT"}


def test_it_takes_present_tables_and_is_told_who_brings_older_ones_up_to_date(accounts: Accounts) -> None:
    with closing(Database(accounts.parts)) as database:
        check_schema(database)
        upgrade(database)
        run(accounts.owner, "UPDATE alembic_version SET version_num = '0023'")
        with pytest.raises(WrongSettings, match="older release"):
            check_schema(database)
        with (
            pytest.raises(WrongSettings, match="the user who owns the tables in MLMINI_DATABASE_OWNER_URL"),
            explained(),
        ):
            upgrade(database)


def test_a_database_from_before_gets_an_account_for_the_home_that_can_do_no_more(old: Settings) -> None:
    first = let_in(old)
    file = old.home / "database.url"
    assert file.read_text().strip() == first.sqlalchemy_url
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(make_url(first.sqlalchemy_url).username).startswith("mlmini_parts_")
    assert refused(first.sqlalchemy_url) == NOT_ALLOWED
    assert default_secrets(first) == []


def test_what_was_granted_by_hand_is_taken_back_and_what_is_missing_given(old: Settings) -> None:
    url = let_in(old).sqlalchemy_url
    before, account = sorted(run(url, HELD)), make_url(url).username
    run(owner_of(old), f"GRANT ALL ON audit_entries, alembic_version TO {account}")
    run(owner_of(old), f"GRANT UPDATE (actor) ON audit_entries TO {account}")
    run(owner_of(old), f"GRANT ALL ON SCHEMA public TO {account}")
    run(owner_of(old), f"REVOKE ALL ON jobs FROM {account}")
    assert refused(url) != NOT_ALLOWED
    assert let_in(old).sqlalchemy_url == url
    assert refused(url) == NOT_ALLOWED
    assert sorted(run(url, HELD)) == before


@pytest.mark.parametrize(
    "change",
    ["PASSWORD 'another'", *(pytest.param(each, marks=pytest.mark.thorough) for each in ("PASSWORD NULL", "NOLOGIN"))],
)
def test_an_account_that_cannot_come_any_more_is_mended_the_next_time(old: Settings, change: str) -> None:
    url = let_in(old).sqlalchemy_url
    run(owner_of(old), f"ALTER ROLE {make_url(url).username} {change}")
    with pytest.raises(OperationalError):
        run(url, "SELECT 1")
    let_in(old)
    assert run(url, "SELECT 1")


def test_where_the_file_is_lost_another_account_is_made(old: Settings) -> None:
    first = let_in(old).sqlalchemy_url
    (old.home / "database.url").unlink()
    second = let_in(old).sqlalchemy_url
    assert make_url(first).username != make_url(second).username
    assert refused(second) == NOT_ALLOWED


def test_the_file_follows_the_owner_to_another_address(old: Settings, postgres: PostgreSQL) -> None:
    first = make_url(let_in(old).sqlalchemy_url)
    owner = make_url(owner_of(old))
    moved = owner.set(host="localhost", query={"user": str(owner.username), "connect_timeout": "5"})
    settings = old.model_copy(update={"database_owner_url": SecretStr(moved.render_as_string(hide_password=False))})
    second = make_url(let_in(settings).sqlalchemy_url)
    assert second == first.set(host="localhost", query={"connect_timeout": "5"})


def test_several_at_once_make_one_account_and_none_fails(old: Settings) -> None:
    with ThreadPoolExecutor(6) as pool:
        urls = {settings.sqlalchemy_url for settings in pool.map(let_in, [old] * 6)}
    assert len(urls) == 1
    assert refused(urls.pop()) == NOT_ALLOWED


MIGHTY = {
    "it is an administrator": "ALTER ROLE {account} CREATEDB",
    "it owns the database": "GRANT {owner} TO {account}",
    "it owns the tables": "ALTER TABLE jobs OWNER TO {account}",
    "it may make tables": "CREATE ROLE more; GRANT CREATE ON SCHEMA public TO more; GRANT more TO {account}",
    "it may change the audit record": "GRANT pg_write_all_data TO {account}",
}


def test_an_account_that_may_do_more_for_another_reason_is_refused(accounts: Accounts, postgres: PostgreSQL) -> None:
    url, owner = (make_url(each) for each in (accounts.parts, accounts.owner))
    with closing(Database(postgres.url(str(owner.database)))) as administrator:
        for what, statement in MIGHTY.items():
            # What is done here ends with the connection: nothing is committed.
            with administrator.engine.connect() as connection:
                connection.exec_driver_sql(statement.format(account=url.username, owner=owner.username))
                with pytest.raises(WrongSettings, match=f"its account {url.username} may do more .*{what}") as told:
                    let_account_in(connection, url)
            assert "secret" not in told.value.detail
        with administrator.engine.connect() as connection:
            let_account_in(connection, url)


def test_the_owner_is_no_account_for_the_parts(accounts: Accounts) -> None:
    both = accounts.settings.model_copy(update={"database_url": SecretStr(accounts.owner)})
    with pytest.raises(WrongSettings, match="it owns the database, it owns the tables"):
        let_in(both)


def test_an_owner_who_may_not_make_accounts_says_who_has_to(accounts: Accounts, tmp_path: Path) -> None:
    alone = accounts.settings.model_copy(update={"database_url": None, "home": tmp_path})
    with pytest.raises(
        WrongSettings, match=r"MLMINI_DATABASE_OWNER_URL: its user may not make the account mlmini_parts_"
    ):
        let_in(alone)
    # One that is there already is taken as it is.
    assert let_in(accounts.settings).sqlalchemy_url == accounts.parts


@pytest.mark.parametrize(
    ("name", "password"),
    [("Parts; DROP TABLE jobs; --", 'it\'s %s \\ "ü"'), pytest.param('quo"ted', "'; --", marks=pytest.mark.thorough)],
    ids=["one", "two"],
)
def test_names_and_passwords_are_quoted(old: Settings, postgres: PostgreSQL, name: str, password: str) -> None:
    account = f"parts_{secrets.token_hex(4)}{name}"
    owner = make_url(owner_of(old))
    url = owner.set(username=account, password=password).render_as_string(hide_password=False)
    try:
        assert let_in(old.model_copy(update={"database_url": SecretStr(url)})).sqlalchemy_url == url
        with closing(Database(url)) as database:
            check_schema(database)
        assert not (old.home / "database.url").exists()
    finally:
        quoted = account.replace('"', '""')
        run(owner.render_as_string(hide_password=False), f'DROP OWNED BY "{quoted}"; DROP ROLE "{quoted}"')


def test_the_password_is_sent_to_the_server_as_a_hash(old: Settings) -> None:
    said: list[str] = []
    with closing(Database(owner_of(old))) as owner:
        event.listen(owner.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        url = make_url(let_parts_in(owner, old).sqlalchemy_url)
    assert any("PASSWORD 'SCRAM-SHA-256$" in statement for statement in said)
    assert str(url.password) not in "".join(said)


def test_the_init_does_all_else_with_that_account_and_changes_nothing_a_second_time(
    old: Settings, valkey_url: str
) -> None:
    settings = old.model_copy(update={"redis_url": SecretStr(valkey_url)})
    prepare(settings)
    kept = (old.home / "database.url").read_text()
    prepare(settings)
    assert (old.home / "database.url").read_text() == kept
    with ExitStack() as stack:
        come = Settings(home=old.home, redis_url=SecretStr(valkey_url), database_url=SecretStr(kept.strip()))
        platform = Platform.open(come, stack)
        with platform.database.read() as session:
            assert session.scalar(text("SELECT CURRENT_USER")) == make_url(kept).username


@pytest.mark.asvs("13.2.3")
def test_a_password_of_the_owner_that_everybody_knows_counts_for_the_parts_too(old: Settings, valkey_url: str) -> None:
    def prepared(password: str) -> list[str]:
        url = make_url(owner_of(old)).set(password=password).render_as_string(hide_password=False)
        prepare(old.model_copy(update={"redis_url": SecretStr(valkey_url), "database_owner_url": SecretStr(url)}))
        return default_secrets(Settings(home=old.home))

    assert prepared("mlmini-development") == ["DATABASE_OWNER_URL"]
    assert prepared("quiet-otters") == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://me:secret@127.0.0.1:9/x", "Nothing answers at the address of MLMINI_DATABASE_OWNER_URL"),
        ("sqlite:///secret.db", "MLMINI_DATABASE_OWNER_URL: it has to be the URL of a PostgreSQL"),
        ("at home, secret", "MLMINI_DATABASE_OWNER_URL: this is not the URL of a database"),
    ],
)
def test_what_is_wrong_with_the_owner_is_told_with_its_own_setting(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence) as told:
        prepare(Settings(home=tmp_path / "home", database_owner_url=SecretStr(url)))
    assert "MLMINI_DATABASE_URL" not in told.value.detail
    assert "secret" not in told.value.detail
    assert not (tmp_path / "home" / "database.url").exists()


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        ("at home, secret", 0o600, "this is not the URL of a database"),
        ("postgresql://parts_x:secret@db/x", 0o644, "can be read by other users"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_left(old: Settings, content: str, mode: int, sentence: str) -> None:
    file = old.home / "database.url"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(WrongSettings, match=f"database.url.*{sentence}") as told:
        let_in(old)
    assert "secret" not in told.value.detail
    assert file.read_text() == content


def test_doctor_tells_what_the_account_may_do(accounts: Accounts, tmp_path: Path) -> None:
    for url, told in ((accounts.parts, "changes rows alone"), (accounts.owner, "may change the audit record")):
        found = check_database(Settings(home=tmp_path, database_url=SecretStr(url)))
        assert found.state is CheckState.OK
        assert found.found.endswith(f"with the tables of this release, as an account that {told}")


def test_without_an_account_for_the_parts_nothing_else_is_done_with_the_owner(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_owner_url=SecretStr("postgresql://me:secret@127.0.0.1:9/x"))
    with pytest.raises(WrongSettings, match=r"MLMINI_DATABASE_OWNER_URL: .* Name the other one in MLMINI_DATABASE_URL"):
        open_database(settings)


def test_the_launcher_gives_the_parts_no_account_that_makes_tables(tmp_path: Path) -> None:
    owner = SecretStr("postgresql://me:secret@127.0.0.1:9/x")
    given = {"MLMINI_DATABASE_OWNER_URL": "x", "mlmini_database_owner_url_file": "x", "MLMINI_HOME": "x"}
    left = {"MLMINI_HOME": "x"}
    made = {"MLMINI_DATABASE_URL_FILE": str(tmp_path / "database.url")}
    assert without_owner(Settings(home=tmp_path, database_owner_url=owner), given) == left | made
    assert without_owner(Settings(home=tmp_path, database_owner_url=owner, database_url=owner), given) == left
    assert without_owner(Settings(home=tmp_path), {"PATH": "x"}) == {"PATH": "x"}
