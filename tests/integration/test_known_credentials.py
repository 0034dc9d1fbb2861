"""Credentials are told from memory and from the database, and API keys are what they say; on both databases."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.accounts.api_keys import LONGEST_KEY_NAME, create_key, find_by_key, list_keys, revoke_key
from shared.accounts.identity import Identity
from shared.accounts.known import KnownCredentials
from shared.accounts.permissions import Permission, Role, Scope, allowed
from shared.accounts.rows import ApiKeyRow, LoginSessionRow, UserRow
from shared.accounts.sessions import log_out
from shared.accounts.users import change_user, find_user
from shared.audit.actions import Via
from shared.clock import Now
from shared.database import Database
from shared.errors import (
    DatabaseFailure,
    InvalidExpiry,
    InvalidRequest,
    NotAuthenticated,
    ScopeBeyondRole,
    UnknownApiKey,
)
from tests.support.accounts import PASSWORD, TOKENS, add_user, logins


class Passing:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Passing:
    return Passing()


@pytest.fixture
def known(database: Database, clock: Passing) -> KnownCredentials:
    return KnownCredentials(database, TOKENS, 60, clock=clock)


def key_of(database: Database, name: str, *scopes: Scope, **more: object) -> str:
    with database.write() as session:
        return create_key(session, find_user(session, name), name="a key", scopes=scopes, **more)[1]  # type: ignore[arg-type]


@pytest.mark.asvs("10.3.2")
def test_a_token_and_a_key_tell_who_comes_and_what_is_allowed(database: Database, known: KnownCredentials) -> None:
    add_user(database, "anna", Role.TRAINER)
    issued = logins(database).log_in("anna", PASSWORD)
    by_token = Identity("anna", Role.TRAINER, allowed(Role.TRAINER), Via.TOKEN, session_id=issued.session_id)
    assert known.identity(issued.access_token) == known.identity(issued.access_token) == by_token
    text = key_of(database, "anna", Scope.PREDICT)
    with database.read() as session:
        row = session.scalars(select(ApiKeyRow)).one()
        assert text not in str(vars(row))
        assert row.key_hash not in text
    found = known.identity(text)
    assert found == Identity("anna", Role.TRAINER, frozenset({Permission.PREDICT}), Via.KEY, key_id=str(row.id))


def test_what_is_revoked_is_refused_a_second_later_at_most(
    database: Database, known: KnownCredentials, clock: Passing
) -> None:
    add_user(database, "root", Role.ADMIN)
    add_user(database, "anna", Role.TRAINER)
    token = logins(database).log_in("anna", PASSWORD).access_token
    key = key_of(database, "anna", Scope.READ, Scope.TRAIN)
    assert {known.identity(token).name, known.identity(key).name} == {"anna"}
    with database.write() as session:
        change_user(session, "anna", role=Role.VIEWER)
    assert known.identity(key).permissions == {Permission.READ, Permission.TRAIN}, "from memory"
    clock.now += 1
    assert known.identity(key).permissions == {Permission.READ}, "the key shrinks with the role"
    with pytest.raises(NotAuthenticated):
        known.identity(token)
    again = logins(database).log_in("anna", PASSWORD)
    assert known.identity(again.access_token).role is Role.VIEWER
    with database.write() as session:
        log_out(session, again.session_id)
        (owned,) = list_keys(session, limit=9)
        revoke_key(session, owned.key.id)
    clock.now += 0.6
    recalled = known.recall(key)
    assert recalled is not None
    assert recalled.due
    with pytest.raises(NotAuthenticated):
        known.look_up(key)
    with pytest.raises(NotAuthenticated):
        known.recall(key)
    with pytest.raises(NotAuthenticated):
        known.identity(again.access_token)


@pytest.mark.asvs("7.4.2")
def test_a_user_who_is_switched_off_is_nobody(database: Database, known: KnownCredentials, clock: Passing) -> None:
    add_user(database, "anna")
    key = key_of(database, "anna", Scope.READ)
    assert known.identity(key).name == "anna"
    with database.write() as session:
        change_user(session, "anna", active=False)
    clock.now += 1
    with pytest.raises(NotAuthenticated):
        known.identity(key)


@pytest.mark.asvs("9.2.1")
def test_the_clock_of_the_database_says_when_something_ends(
    database: Database, known: KnownCredentials, clock: Passing
) -> None:
    """As if the process that issues were five minutes off: by its own clock nothing is told."""
    add_user(database, "anna")
    issued = logins(database).log_in("anna", PASSWORD)
    with database.read() as session:
        now = session.execute(select(Now())).scalar_one()
    ahead, behind, late = (
        TOKENS.issue("anna", issued.session_id, 1, now + timedelta(minutes=minutes)) for minutes in (5, -5, -16)
    )
    for token in (ahead, late):
        with pytest.raises(NotAuthenticated, match=r"token (has expired|is not valid yet)"):
            known.identity(token)
    assert known.identity(behind).name == "anna"
    clock.now += 0.4
    assert known.identity(behind).name == "anna"
    key = key_of(database, "anna", Scope.READ, expires_at=now + timedelta(minutes=1))
    assert known.identity(key).name == "anna"
    with database.write() as session:
        (owned,) = list_keys(session, limit=9)
        assert owned.key.expires_at == now + timedelta(minutes=1)
        session.execute(update(ApiKeyRow).values(expires_at=Now(-1)))
        assert find_by_key(session, key) is None


@pytest.mark.asvs("7.2.1", "9.2.2")
def test_what_is_nobodys_credential_is_refused(database: Database, known: KnownCredentials) -> None:
    add_user(database, "anna")
    issued = logins(database).log_in("anna", PASSWORD)
    key = key_of(database, "anna", Scope.READ)
    with database.read() as session:
        now = session.execute(select(Now())).scalar_one()
    for text in (
        *("", "\0", "\ud800", "x" * 5000, issued.refresh_token, key[:-1], key + "0", key.upper(), f" {key}"),
        *(key[:-1] + ("0" if key[-1] != "0" else "1"), "mlm_" + "a" * 10 + key[14:], key.replace("_", "-")),
        TOKENS.issue("anna", "s", 1, now),
        TOKENS.issue("bert", issued.session_id, 1, now),
        TOKENS.issue("anna", issued.session_id, 2, now),
    ):
        for _ in range(2):
            with pytest.raises(NotAuthenticated):
                known.identity(text)
    with pytest.raises(NotAuthenticated, match="more than 4096 characters"):
        known.recall("x" * 4097)
    assert known.identity(key).name == "anna"


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (LoginSessionRow, {"expires_at": Now(-1)}),
        (UserRow, {"active": False}),
        (UserRow, {"deleted_at": Now(-1)}),
    ],
    ids=["its time is over", "the user is switched off", "the user is deleted"],
)
def test_a_login_that_nobody_has_ended_ends_with_its_time_and_its_user(
    database: Database, known: KnownCredentials, row: type[UserRow | LoginSessionRow], values: dict[str, Any]
) -> None:
    add_user(database, "anna")
    issued = logins(database).log_in("anna", PASSWORD)
    assert known.identity(issued.access_token).name == "anna"
    with database.write() as session:
        session.execute(update(row).values(values))
    known.forget()
    with pytest.raises(NotAuthenticated):
        known.identity(issued.access_token)
    with pytest.raises(NotAuthenticated):
        logins(database).refresh(issued.refresh_token)


def test_keys_are_made_within_the_role_listed_and_revoked_by_whose_they_are(database: Database) -> None:
    add_user(database, "anna", Role.TRAINER)
    add_user(database, "bert")
    with database.write() as session:
        anna, bert = find_user(session, "anna"), find_user(session, "bert")
        make = partial(create_key, session, anna)
        with pytest.raises(ScopeBeyondRole, match="The role trainer does not allow admin") as refused:
            make(name="k", scopes=[Scope.READ, Scope.ADMIN])
        assert refused.value.members["available"] == ["read", "predict", "train", "promote"]
        for name in ("", "  ", "x" * (LONGEST_KEY_NAME + 1), "a\nb", "a\0b", "\ud800", "\u202e"):
            with pytest.raises(InvalidRequest, match="name"):
                make(name=name, scopes=[Scope.READ])
        with pytest.raises(InvalidRequest, match="one scope"):
            make(name="k", scopes=[])
        past = session.execute(select(Now())).scalar_one()
        with pytest.raises(InvalidExpiry):
            make(name="k", scopes=[Scope.READ], expires_at=past)
        first, text = make(name="erster Schlüssel", scopes=[Scope.TRAIN, Scope.READ, Scope.READ])
        assert (first.scopes, first.expires_at, first.last_used_at) == (["read", "train"], None, None)
        second, other = create_key(session, bert, name="k", scopes=[Scope.READ])
        assert [owned.user.name for owned in list_keys(session, limit=9)] == ["bert", "anna"]
        assert [owned.key.id for owned in list_keys(session, user=anna, limit=9)] == [first.id]
        assert [owned.key.id for owned in list_keys(session, limit=9, before=second.id)] == [first.id]
        for key_id in (second.id, 10**9):
            with pytest.raises(UnknownApiKey):
                revoke_key(session, key_id, user=anna)
        revoked = revoke_key(session, first.id, user=anna).key.revoked_at
        assert revoked is not None
        assert revoke_key(session, first.id).key.revoked_at == revoked
        assert find_by_key(session, text) is None
        assert find_by_key(session, other) is not None
    with database.write() as session:
        owned = revoke_key(session, second.id)
    assert owned.key.revoked_at is not None
    assert first.created_at <= second.created_at, "it can be told when the transaction has ended"


def test_the_first_use_is_written_at_once_and_later_ones_once_a_minute_at_most(
    database: Database, known: KnownCredentials
) -> None:
    add_user(database, "anna")
    key = key_of(database, "anna", Scope.READ)

    def last_used() -> object:
        with database.read() as session:
            return session.scalar(select(ApiKeyRow.last_used_at))

    known.write_uses()
    assert last_used() is None
    known.identity(key)
    first = last_used()
    assert first is not None
    known.write_uses()
    assert last_used() == first
    known.look_up(key)
    known.write_uses()
    assert last_used() == first
    with database.write() as session:
        session.execute(update(ApiKeyRow).values(last_used_at=Now(-61)))
    known.write_uses()
    known.look_up(key)
    known.write_uses()
    assert last_used() > first  # type: ignore[operator]


def test_access_control_is_on_from_the_first_user_on(
    database: Database, known: KnownCredentials, clock: Passing
) -> None:
    assert known.recall_on() is None
    assert not known.is_on()
    add_user(database, "anna")
    assert known.recall_on() is False
    assert not known.is_on(), "from memory"
    clock.now += 1
    assert known.recall_on() is None
    assert known.is_on()
    clock.now += 100
    assert known.recall_on() is True


@pytest.fixture
def vanishing(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.mark.asvs("16.5.3")
def test_while_the_database_is_away_those_who_came_of_late_are_known(vanishing: Database, clock: Passing) -> None:
    known = KnownCredentials(vanishing, TOKENS, 60, clock=clock)
    late = KnownCredentials(vanishing, TOKENS, 60, clock=clock)
    assert not known.is_on()
    add_user(vanishing, "anna")
    key, other = key_of(vanishing, "anna", Scope.READ), key_of(vanishing, "anna", Scope.READ)
    assert known.identity(key).name == "anna"
    session_id = logins(vanishing).log_in("anna", PASSWORD).session_id
    with vanishing.read() as session:
        begun = session.execute(select(Now())).scalar_one() - timedelta(minutes=15, seconds=10)
    ending = TOKENS.issue("anna", session_id, 1, begun)
    assert known.identity(ending).name == "anna", "for 20 seconds more"
    path = Path(str(vanishing.engine.url.database))
    shutil.move(path, path.with_suffix(".away"))
    clock.now += 30
    assert known.identity(key).name == "anna"
    assert known.recall(key) is not None, "nobody waits for a database that has just been found away"
    assert not known.is_on()
    with pytest.raises(NotAuthenticated, match="has expired"):
        known.identity(ending)
    for act in (partial(known.identity, other), late.is_on):
        with pytest.raises(DatabaseFailure):
            act()
    assert known.recall_on() is False, "nor does anybody wait to hear that again"
    clock.now += 30
    assert not known.is_on(), "nobody can have made a user"
    with pytest.raises(DatabaseFailure):
        known.identity(key)
    clock.now += 1
    shutil.move(path.with_suffix(".away"), path)
    assert known.identity(key).name == "anna"
    assert known.is_on()
