"""Users are made, changed and deleted, and there always is an admin; on both databases."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.accounts.api_keys import create_key, find_by_key
from shared.accounts.first_admin import first_admin_from_file
from shared.accounts.permissions import Role, Scope
from shared.accounts.rows import AccountKind, LoginSessionRow
from shared.accounts.users import UserChange, change_user, create_user, delete_user, find_user, list_users, user_count
from shared.audit.listing import list_entries
from shared.audit.verifying import verify
from shared.database import Database
from shared.errors import (
    InvalidCursor,
    InvalidRequest,
    LastAdmin,
    NotAuthenticated,
    PlatformError,
    UnknownUser,
    UserChanged,
    UserExists,
    WrongSettings,
)
from tests.support.accounts import KEY, PASSWORD, add_user, cheap_passwords, hashed, logins, recorded
from tests.support.threads import at_once


def test_a_user_is_made_found_changed_and_deleted(database: Database) -> None:
    add_user(database, "root", Role.ADMIN)
    add_user(database, "anna", Role.TRAINER)
    add_user(database, "robot", service=True)
    with database.write() as session:
        robot = change_user(session, "robot", role=Role.TRAINER).user
    assert robot.updated_at > robot.created_at, "it can be told when the transaction has ended"
    with database.write() as session:
        anna = find_user(session, "anna")
        assert (anna.role, anna.kind, anna.active, anna.session_epoch) == ("trainer", "person", True, 1)
        assert (user_count(session), [user.name for user in list_users(session, limit=2)]) == (3, ["anna", "robot"])
        assert [user.name for user in list_users(session, limit=2, after="anna")] == ["robot", "root"]
        changed = change_user(session, "anna", role=Role.APPROVER, active=False, password=hashed("another long one"))
        assert changed.before == {"role": "trainer", "active": True}
        assert changed.after == {"role": "approver", "active": False, "password": "changed"}
        assert changed.user.session_epoch == 2
        assert changed.user.updated_at >= changed.user.created_at
        same = change_user(session, "anna", role=Role.APPROVER)
        assert (same.user.session_epoch, same.before, same.after) == (2, {}, {})
        with pytest.raises(UserExists):
            create_user(session, "anna", role=Role.VIEWER, password=None)
        with pytest.raises(InvalidRequest, match="A service has no password"):
            change_user(session, "robot", password=hashed())
        with pytest.raises(InvalidRequest):
            create_user(session, "robot2", role=Role.VIEWER, password=hashed(), kind=AccountKind.SERVICE)
        delete_user(session, "anna")
        with pytest.raises(UnknownUser):
            find_user(session, "anna")
        for name in ("anna\0", "\ud800", "x" * 500):
            for act in (find_user, delete_user, change_user):
                with pytest.raises(UnknownUser):
                    act(session, name)
            with pytest.raises(InvalidCursor):
                list_users(session, limit=1, after=name)
        with pytest.raises(UnknownUser, match="Did you mean 'robot'"):
            change_user(session, "robott", role=Role.ADMIN)
        assert user_count(session) == 2


@pytest.mark.asvs("7.4.2", "10.3.3")
def test_a_deletion_ends_all_that_the_user_could_come_with_and_a_new_user_of_the_name_has_none_of_it(
    database: Database,
) -> None:
    add_user(database, "root", Role.ADMIN)
    add_user(database, "anna")
    issued = logins(database).log_in("anna", PASSWORD)
    with database.write() as session:
        _, text = create_key(session, find_user(session, "anna"), name="k", scopes=[Scope.READ])
        anna = find_user(session, "anna")
        delete_user(session, "anna")
        assert find_by_key(session, text) is None
        with pytest.raises(UnknownUser):
            create_key(session, anna, name="late", scopes=[Scope.READ])
    with database.write() as session:
        again = create_user(session, "anna", role=Role.TRAINER, password=hashed("another long one"))
        assert (again.role, again.session_epoch, again.deleted_at) == ("trainer", 3, None)
        assert find_by_key(session, text) is None
        ended = session.get_one(LoginSessionRow, issued.session_id)
        assert (ended.revoked_at is not None, ended.why) == (True, "user_deleted")
    for act in (
        partial(logins(database).refresh, issued.refresh_token),
        partial(logins(database).log_in, "anna", PASSWORD),
    ):
        with pytest.raises(NotAuthenticated):
            act()


def test_the_last_admin_who_can_log_in_stays_one(database: Database) -> None:
    add_user(database, "root", Role.ADMIN)
    add_user(database, "robot", Role.ADMIN, service=True)
    add_user(database, "anna", Role.APPROVER)
    with database.write() as session:
        for act in (
            partial(delete_user, session, "root"),
            partial(change_user, session, "root", role=Role.VIEWER),
            partial(change_user, session, "root", active=False),
        ):
            with pytest.raises(LastAdmin):
                act()
        change_user(session, "root", password=hashed("another long one"))
        delete_user(session, "robot")
        change_user(session, "anna", role=Role.ADMIN)
        delete_user(session, "root")
        with pytest.raises(LastAdmin):
            change_user(session, "anna", role=Role.TRAINER)


def test_of_two_admins_who_take_each_others_role_away_at_once_one_stays(database: Database) -> None:
    add_user(database, "one", Role.ADMIN)
    add_user(database, "two", Role.ADMIN)

    def demote(name: str) -> UserChange | PlatformError:
        try:
            with database.write() as session:
                return change_user(session, name, role=Role.VIEWER)
        except LastAdmin as error:
            return error

    answers = at_once(partial(demote, "one"), partial(demote, "two"))
    assert sorted(type(answer).__name__ for answer in answers) == ["LastAdmin", "UserChange"]
    with database.read() as session:
        assert sorted(user.role for user in list_users(session, limit=9)) == ["admin", "viewer"]


def test_of_two_who_change_what_they_have_looked_at_the_later_is_told(database: Database) -> None:
    add_user(database, "anna")

    def promote(role: Role) -> str:
        try:
            with database.write() as session:
                return str(change_user(session, "anna", role=role, expected_epoch=1).user.role)
        except UserChanged as error:
            return error.code

    answers = at_once(partial(promote, Role.TRAINER), partial(promote, Role.APPROVER))
    with database.read() as session:
        role = find_user(session, "anna").role
    assert sorted(answers) == sorted([role, "user_changed"])


def test_the_first_admin_is_made_once_of_a_file(database: Database, tmp_path: Path) -> None:
    recorded(database)
    path = tmp_path / "password"
    make = partial(first_admin_from_file, database, path, cheap_passwords())
    for content, problem in {
        None: "there is no file",
        b"short\n": "has 5 characters",
        b"\xff\xfe\n": "not text in UTF-8",
    }.items():
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(WrongSettings, match=f"MLMINI_ADMIN_PASSWORD_FILE: .*{problem}") as wrong:
            make()
        assert "short" not in wrong.value.detail.removeprefix("The password is too short")
    path.write_bytes(b" seven quiet otters \r\n")
    assert sorted(at_once(make, make)) == [False, True]
    path.unlink()
    assert make() is False
    assert logins(database).log_in("admin", " seven quiet otters ").user_name == "admin"
    with database.read() as session:
        (user,) = list_users(session, limit=9)
        assert (user.role, user.kind) == ("admin", "person")
        assert [(row.action, row.actor, row.via) for row in list_entries(session, limit=9)][1:] == [
            ("user_created", "system", "settings")
        ]
        assert verify(session, KEY).whole


def test_a_name_that_was_made_by_two_at_once_is_one_user(database: Database) -> None:
    def make() -> str:
        try:
            with database.write() as session:
                return create_user(session, "anna", role=Role.VIEWER, password=None).name
        except UserExists as error:
            return error.code

    assert sorted(at_once(make, make)) == ["anna", "user_exists"]
    with database.read() as session:
        assert session.scalars(select(LoginSessionRow)).all() == []
        assert user_count(session) == 1
