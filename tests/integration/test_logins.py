"""From a password to tokens, from a refresh token to the next, and the end of it; on both databases."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.accounts.passwords import PasswordCost, Passwords
from shared.accounts.permissions import Role
from shared.accounts.refusals import CountedRefusals
from shared.accounts.rows import LoginSessionRow, UserRow
from shared.accounts.sessions import IssuedTokens, Logins, Sender, log_out
from shared.accounts.users import change_user
from shared.audit.listing import list_entries
from shared.audit.verifying import verify
from shared.clock import Now
from shared.database import Database
from shared.errors import NotAuthenticated
from tests.support.accounts import KEY, PASSWORD, TOKENS, add_user, cheap_passwords, hashed, logins, recorded
from tests.support.threads import at_once

SENDER = Sender("request-1", "10.0.0.1")


def is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except NotAuthenticated:
        return True
    return False


def entries(database: Database) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        assert verify(session, KEY).whole
        rows = reversed(list_entries(session, limit=99))
        return [(row.action, row.actor, row.subject, row.outcome) for row in rows]


@pytest.mark.asvs("16.2.1", "16.3.1")
def test_a_login_gives_tokens_and_is_recorded_with_where_it_came_from(database: Database) -> None:
    add_user(database, "anna", Role.TRAINER)
    issued = logins(database).log_in("anna", PASSWORD, SENDER)
    claims = TOKENS.read(issued.access_token)
    assert (claims.user_name, claims.session_id, claims.epoch) == ("anna", issued.session_id, 1)
    assert issued.expires_in == 900 == claims.expires_at - claims.issued_at
    assert issued.refresh_token not in repr(issued)
    with database.read() as session:
        (row,) = list_entries(session, limit=9)
        assert (row.via, row.request_id, row.address) == ("password", "request-1", "10.0.0.1")
        kept = session.scalars(select(LoginSessionRow)).one()
        assert issued.refresh_token not in {kept.refresh_hash, kept.id}
    assert entries(database) == [("login", "anna", "user anna", "done")]


@pytest.mark.asvs("16.2.5", "16.3.1")
def test_who_may_not_log_in_gets_one_answer_and_only_known_names_are_recorded(database: Database) -> None:
    add_user(database, "anna")
    add_user(database, "bert")
    add_user(database, "robot", service=True)
    with database.write() as session:
        change_user(session, "bert", active=False)
    told, refusals = set(), CountedRefusals(recorded(database))
    for name, password in {
        "anna": "a wrong password",
        "bert": PASSWORD,
        "robot": PASSWORD,
        "my secret password": PASSWORD,
        "nobody\0": PASSWORD,
        "Anna": PASSWORD,
        "carla": "\ud800",
        "": "",
    }.items():
        with pytest.raises(NotAuthenticated) as refused:
            logins(database, refusals).log_in(name, password)
        told.add(refused.value.detail)
    assert len(told) == 1
    refusals.write_counts()
    assert entries(database) == [("login_refused", "anonymous", user, "refused") for user in ("user anna", "several")]
    with database.read() as session:
        counted = list_entries(session, limit=1)[0].after
    subjects = {"an unknown user": 5, "user bert": 1, "user robot": 1}
    assert counted == {"more": 7, "after_entry": 1, "subjects": subjects}


@pytest.mark.asvs("10.4.5", "16.3.3")
def test_a_refresh_token_is_exchanged_once_and_one_that_comes_again_ends_the_login(database: Database) -> None:
    add_user(database, "anna")
    first = logins(database).log_in("anna", PASSWORD)
    other = logins(database).log_in("anna", PASSWORD)
    second = logins(database).refresh(first.refresh_token)
    third = logins(database).refresh(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    for text in ("", "mlr_", "mlr_" + "a" * 43, first.access_token, first.refresh_token + "\n", "mlr_" + "é" * 43):
        assert is_refused(partial(logins(database).refresh, text))
    assert logins(database).refresh(third.refresh_token), "what is made up ends nothing"
    assert is_refused(partial(logins(database).refresh, first.refresh_token, SENDER))
    assert is_refused(partial(logins(database).refresh, first.refresh_token))
    assert is_refused(partial(logins(database).refresh, third.refresh_token))
    assert logins(database).refresh(other.refresh_token).session_id == other.session_id
    assert entries(database)[2:] == [("token_reused", "anonymous", "user anna", "refused")]
    with database.read() as session:
        assert session.get_one(LoginSessionRow, first.session_id).why == "token_reused"


def test_of_two_that_exchange_one_token_at_once_one_gets_the_next_and_the_login_ends(database: Database) -> None:
    add_user(database, "anna")
    token = logins(database).log_in("anna", PASSWORD).refresh_token

    def exchange() -> IssuedTokens | None:
        try:
            return logins(database).refresh(token)
        except NotAuthenticated:
            return None

    got = [issued for issued in at_once(exchange, exchange) if issued is not None]
    assert len(got) == 1
    assert is_refused(partial(logins(database).refresh, got[0].refresh_token))


@pytest.mark.asvs("7.3.1", "7.3.2", "10.4.8")
def test_a_login_ends_by_time_by_pause_and_by_logging_out(database: Database) -> None:
    add_user(database, "anna")

    def age(session: Session, issued: IssuedTokens, **moments: Now) -> None:
        session.execute(update(LoginSessionRow).where(LoginSessionRow.id == issued.session_id).values(**moments))

    old, paused, left, good = (logins(database).log_in("anna", PASSWORD) for _ in range(4))
    with database.write() as session:
        days = session.get_one(LoginSessionRow, good.session_id)
        assert (days.expires_at - days.created_at).days in {29, 30}
        age(session, old, expires_at=Now(-1))
        age(session, paused, refreshed_at=Now(-14 * 86_400 - 1))
        age(session, good, refreshed_at=Now(-14 * 86_400 + 60))
        assert log_out(session, left.session_id, SENDER)
        assert not log_out(session, left.session_id)
        assert not log_out(session, "no such login")
    assert [
        is_refused(partial(logins(database).refresh, each.refresh_token)) for each in (old, paused, left, good)
    ] == [*(True, True, True, False)]
    assert entries(database)[4:] == [("logout", "anna", "user anna", "done")]


@pytest.mark.asvs("7.4.3")
def test_a_change_of_the_user_ends_logins_also_one_that_is_just_being_made(database: Database) -> None:
    add_user(database, "anna")
    issued = logins(database).log_in("anna", PASSWORD)

    class Slow(Passwords):
        """While it compares, the password of the user is changed."""

        def check(self, password, stored):  # type: ignore[no-untyped-def]
            found = cheap_passwords().check(password, stored)
            with database.write() as session:
                change_user(session, "anna", password=hashed("another long one"))
            return found

    slow = Logins(recorded(database), TOKENS, Slow(PasswordCost(8, 1)), CountedRefusals(database))
    assert is_refused(partial(slow.log_in, "anna", PASSWORD))
    with database.read() as session:
        assert session.get_one(LoginSessionRow, issued.session_id).why == "user_changed"
    assert is_refused(partial(logins(database).refresh, issued.refresh_token))
    assert is_refused(partial(logins(database).log_in, "anna", PASSWORD))
    assert logins(database).log_in("anna", "another long one").user_name == "anna"


def test_a_login_renews_a_hash_that_has_become_cheap_and_ends_no_other_login_by_that(database: Database) -> None:
    add_user(database, "anna")
    before = logins(database).log_in("anna", PASSWORD)
    cost = PasswordCost(memory_kib=16, passes=1)
    stronger = Logins(recorded(database), TOKENS, Passwords(cost), CountedRefusals(database))
    stronger.log_in("anna", PASSWORD)
    with database.read() as session:
        user = session.scalars(select(UserRow)).one()
        assert (user.session_epoch, "m=16," in (user.password_hash or "")) == (1, True)
    assert logins(database).refresh(before.refresh_token)


def test_a_login_forgets_none_before_it_so_that_a_token_that_comes_again_is_still_recognised(
    database: Database,
) -> None:
    add_user(database, "anna")
    old = logins(database).log_in("anna", PASSWORD)
    logins(database).refresh(old.refresh_token)
    with database.write() as session:
        session.execute(update(LoginSessionRow).values(expires_at=Now(-2 * 86_400)))
    logins(database).log_in("anna", PASSWORD)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LoginSessionRow)) == 2
    assert is_refused(partial(logins(database).refresh, old.refresh_token))
    with database.read() as session:
        reasons = session.scalars(select(LoginSessionRow.why)).all()
    assert sorted(map(str, reasons)) == ["None", "token_reused"]
