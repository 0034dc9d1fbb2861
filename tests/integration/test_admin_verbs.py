"""`mlmini admin create` and `mlmini audit verify`, on the platform of this machine that need not run."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cli.actions import administering
from cli.client.errors import CommandFailed, WrongUsage
from cli.launcher.prepare import prepare
from shared.accounts.api_keys import find_by_key
from shared.accounts.permissions import Role
from shared.accounts.users import find_user, list_users
from shared.audit.listing import list_entries
from shared.clock import Now
from shared.database import Database
from shared.errors import WrongSettings
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user, logins
from tests.support.command_line import CommandLine
from tests.support.first_start import home_of_a_start
from tests.support.processes import own_ports
from tests.support.servers import Valkey


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """What a first start has left."""
    return home_of_a_start(tmp_path, sqlite_template)


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{home}/ml_registry.db")
    yield database
    database.close()


def test_an_admin_is_made_and_the_record_tells_of_it(tmp_path: Path, home: Path, database: Database) -> None:
    mlmini = CommandLine(tmp_path)
    here: Any = {"MLMINI_HOME": str(home)}
    made = mlmini.succeed("admin", "create", "--name", "anna", stdin=f"{PASSWORD}\n".encode(), **here)
    assert (made.out, made.err) == ("The user anna is there, with the role admin.\n", "")
    (tmp_path / "password").write_text("another long one")
    given = mlmini.succeed("admin", "create", "--password-file", "password", "--json", **here)
    assert given.document == {"name": "admin", "role": "admin"}
    with database.read() as session:
        assert find_user(session, "anna").role == Role.ADMIN
        entry = list_entries(session, limit=9)[-1]
        assert (entry.action, entry.subject, entry.actor, entry.via) == ("user_created", "user anna", "system", "cli")
        assert entry.after == {"role": "admin", "kind": "person"}
    assert logins(database).log_in("anna", PASSWORD)
    whole = mlmini.run("audit", "verify", **here)
    # That login was recorded with the key of another platform.
    assert (whole.status, "Entry 3 was recorded with the key" in whole.out) == (1, True)
    with sqlite3.connect(home / "ml_registry.db") as connection:
        connection.execute("DELETE FROM audit_entries WHERE seq = 2")
    connection.close()
    found = mlmini.run("audit", "verify", "--json", **here)
    assert found.status == 1
    assert (found.document["ok"], found.document["first_wrong"], found.document["entries"]) == (False, 2, 1)


def test_a_record_that_was_made_anew_is_not_the_one_that_is_known(tmp_path: Path, home: Path) -> None:
    mlmini = CommandLine(tmp_path)
    here: Any = {"MLMINI_HOME": str(home)}
    assert mlmini.succeed("audit", "verify", **here).out == "The record is whole: 0 entries.\n"
    mlmini.succeed("admin", "create", stdin=PASSWORD.encode(), **here)
    told = mlmini.succeed("audit", "verify", **here).out
    assert told.startswith("The record is whole: 1 entry. Keep this elsewhere: 1:")
    known = told.split()[-1]
    assert mlmini.succeed("audit", "verify", "--known", known, **here).out == told
    wrong = mlmini.run("audit", "verify", "--known", "1:" + "0" * 64, **here)
    assert (wrong.status, "the record was made anew" in wrong.out) == (1, True)
    assert mlmini.run("audit", "verify", "--known", "1", **here).status == 2


def test_doctor_and_fsck_tell_of_accounts_and_of_a_record_that_is_not_whole(tmp_path: Path, home: Path) -> None:
    mlmini = CommandLine(tmp_path)
    here: Any = {"MLMINI_HOME": str(home), **own_ports()}
    with closing(open_store(Settings(home=home))) as store:
        store.prepare()

    def told() -> dict[str, tuple[str, str]]:
        checks = mlmini.run("doctor", "--json", **here).document["checks"]
        return {check["part"]: (check["state"], check["found"]) for check in checks}

    assert told()["Access"] == ("ok", "no accounts: whoever reaches the API may do everything")
    mlmini.succeed("admin", "create", stdin=PASSWORD.encode(), **here)
    well = told()
    assert well["Access"] == ("ok", "1 account: everybody has to log in")
    assert well["Audit record"] == ("ok", "whole, 1 entry")
    with sqlite3.connect(home / "ml_registry.db") as connection:
        connection.execute("UPDATE audit_entries SET actor = 'anna'")
    connection.close()
    assert told()["Audit record"] == ("broken", "not whole from entry 1 on")
    found = mlmini.run("fsck", "--deep", "--json", **here)
    (difference,) = [each for each in found.document["differences"] if each["kind"] == "record_not_whole"]
    assert (found.status, difference["about"]) == (1, "entry 1 of the audit record")
    assert mlmini.run("fsck", "--json", **here).document["differences"] == [
        each for each in found.document["differences"] if each != difference
    ]


REFUSED: list[tuple[str, str, type[Exception], str]] = [
    ("Anna", PASSWORD, CommandFailed, "another character"),
    ("anna", "short", CommandFailed, "has 5 characters"),
    ("taken", PASSWORD, CommandFailed, "There is a user 'taken' already"),
    ("anna", "\ud800", WrongSettings, "not text in UTF-8"),
]


def test_what_cannot_be_is_refused_and_nobody_is_made(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(home))
    path = home.parent / "password"
    path.write_text(PASSWORD)
    administering.create_admin("taken", path, as_json=True)
    for name, password, error, said in REFUSED:
        path.write_bytes(password.encode(errors="surrogatepass"))
        with pytest.raises(error, match=said):
            administering.create_admin(name, path, as_json=True)
    with database.read() as session:
        assert [user.name for user in list_users(session, limit=9)] == ["taken"]


@pytest.mark.parametrize("typed", [[PASSWORD, PASSWORD], [PASSWORD, "something else"]], ids=["twice", "differently"])
def test_a_password_is_asked_for_twice_at_a_terminal(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch, typed: list[str]
) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(home))
    answers = iter(typed)
    monkeypatch.setattr(administering, "getpass", lambda _: next(answers))
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        if typed[0] == typed[1]:
            administering.create_admin("admin", None, as_json=True)
        else:
            with pytest.raises(WrongUsage, match="differ"):
                administering.create_admin("admin", None, as_json=True)
    os.close(ours)
    with database.read() as session:
        assert len(list_users(session, limit=9)) == (typed[0] == typed[1])


def test_the_first_start_makes_the_admin_of_the_settings_and_later_ones_do_not(
    tmp_path: Path, home: Path, database: Database, valkey: Valkey
) -> None:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    settings = Settings(home=home, redis_url=valkey.url, admin_password_file=path)
    prepare(settings)
    path.write_text("another long one\n")
    prepare(settings)
    assert logins(database).log_in("admin", PASSWORD).user_name == "admin"


def test_a_key_of_an_admin_is_made_without_a_login(tmp_path: Path, home: Path, database: Database) -> None:
    mlmini = CommandLine(tmp_path)
    here: Any = {"MLMINI_HOME": str(home)}
    mlmini.succeed("admin", "create", stdin=PASSWORD.encode(), **here)
    told = mlmini.succeed("admin", "key", **here).out
    made = mlmini.succeed("admin", "key", "--hours", "8", "--json", **here).document
    for key, hours in ((told.split()[0], 1), (made["key"], 8)):
        with database.read() as session:
            found = find_by_key(session, key)
            now = session.execute(select(Now())).scalar_one()
        assert found is not None
        assert found.key.expires_at is not None
        assert (found.user.name, found.key.scopes) == ("admin", ["admin"])
        assert hours - 0.1 < (found.key.expires_at - now).total_seconds() / 3600 <= hours
    with database.read() as session:
        entry = list_entries(session, limit=1)[0]
    assert (entry.action, entry.actor, entry.via) == ("key_created", "system", "cli")
    assert entry.after == {"name": "mlmini admin key", "user": "admin", "scopes": ["admin"]}
    assert made["key"] not in str(entry.after)


def test_a_key_is_made_of_an_active_admin_only(tmp_path: Path, home: Path, database: Database) -> None:
    add_user(database, "anna", Role.TRAINER)
    mlmini = CommandLine(tmp_path)
    here: Any = {"MLMINI_HOME": str(home)}
    for name, said in (("anna", "is no admin who may log in"), ("nobody", "There is no user 'nobody'")):
        refused = mlmini.run("admin", "key", "--name", name, **here)
        assert (refused.status, said in refused.err) == (1, True), refused.err
    assert "mlm_" not in refused.out
