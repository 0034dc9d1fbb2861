"""Who comes from an identity provider becomes one user, and nobody else's; on both databases."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
from sqlalchemy import delete, select

from shared.accounts.oidc.arriving import ProviderLogins
from shared.accounts.oidc.attempts import LoginAttempt
from shared.accounts.oidc.provider import Arrival, Provider
from shared.accounts.permissions import Role
from shared.accounts.recent_logins import expect_recent
from shared.accounts.refusals import CountedRefusals
from shared.accounts.rows import AccountKind, LoginSessionRow, UserRow
from shared.accounts.sessions import IssuedTokens, Sender
from shared.accounts.users import change_user, create_user, delete_user, find_user, list_users
from shared.audit.listing import list_entries
from shared.audit.verifying import verify
from shared.database import Database
from shared.errors import InvalidRequest, LastAdmin, LoginRefused, LoginTooOld, NoAccounts, PlatformError
from tests.support.accounts import KEY, PASSWORD, TOKENS, add_user, hashed, logins, recorded
from tests.support.threads import at_once

ISSUER = "https://login.example.org"
THERE = Provider(
    issuer=ISSUER,
    client_id="mlmini-here",
    public_url="https://ml.example.org",
    scopes="openid",
    name_claim="preferred_username",
    groups_claim="groups",
    roles={},
    new_users=False,
)
ROLES = {"ml": Role.TRAINER, "heads": Role.APPROVER, "guests": Role.VIEWER}
GROUPS = replace(THERE, roles=ROLES)
ANYBODY = replace(GROUPS, new_users=True)
ANNA = Arrival(ISSUER, "subject-1", "anna", frozenset({"ml"}))
SENDER = Sender("request-1", "10.0.0.1")


@dataclass(frozen=True)
class Secret:
    secret: bytes = b"s" * 32


def provider_logins(database: Database, provider: Provider = THERE) -> ProviderLogins:
    return ProviderLogins(provider, recorded(database), TOKENS, Secret(), CountedRefusals(database))


def attempt_of(known: ProviderLogins) -> LoginAttempt:
    return known.attempts.begin("/docs", known.now())[0]


def come(database: Database, arrival: Arrival = ANNA, provider: Provider = THERE) -> IssuedTokens:
    known = provider_logins(database, provider)
    return known.log_in(arrival, attempt_of(known), SENDER, seconds=900)


def why_refused(database: Database, arrival: Arrival = ANNA, provider: Provider = THERE) -> str:
    with pytest.raises(LoginRefused) as refused:
        come(database, arrival, provider)
    return refused.value.detail


def expect(database: Database, name: str, role: Role = Role.VIEWER) -> None:
    """Have an admin make a user who logs in through the provider."""
    with database.write() as session:
        create_user(session, name, role=role, password=None, issuer=ISSUER)


def role_of(database: Database, name: str = "anna") -> str:
    with database.read() as session:
        return find_user(session, name).role


@pytest.fixture(autouse=True)
def root(database: Database) -> None:
    add_user(database, "root", Role.ADMIN)


@pytest.mark.asvs("6.8.1", "10.5.2")
def test_a_user_that_was_made_for_it_is_whoever_comes_first_and_nobody_else_after_that(database: Database) -> None:
    expect(database, "anna", Role.TRAINER)
    issued = come(database)
    claims = TOKENS.read(issued.access_token)
    assert (claims.user_name, claims.session_id, issued.expires_in) == ("anna", issued.session_id, 900)
    assert "is not one that logs in" in why_refused(database, replace(ANNA, subject="subject-2"))
    # Names may change at the provider; the person is the same.
    assert come(database, replace(ANNA, name="anna.lang")).user_name == "anna"
    assert come(database, replace(ANNA, name=None)).user_name == "anna"
    with database.read() as session:
        assert verify(session, KEY).whole
        entries = list_entries(session, limit=9)[::-1]
    assert [(each.action, each.actor, each.subject, each.via) for each in entries[:2]] == [
        ("user_linked", "anna", "user anna", "oidc"),
        ("login", "anna", "user anna", "oidc"),
    ]
    assert (entries[0].after, entries[1].after) == ({"role": "trainer", "issuer": ISSUER}, {"issuer": ISSUER})
    assert (entries[1].request_id, entries[1].address) == ("request-1", "10.0.0.1")
    assert "subject-1" not in str([vars(entry) for entry in entries])


@pytest.mark.parametrize("provider", [THERE, ANYBODY], ids=["known users", "new users"])
def test_a_name_that_is_taken_at_the_provider_opens_no_account_that_is_here(
    database: Database, provider: Provider
) -> None:
    add_user(database, "anna", Role.ADMIN)
    add_user(database, "robot", service=True)
    with database.write() as session:
        create_user(session, "keys.only", role=Role.ADMIN, password=None)
        create_user(session, "elsewhere", role=Role.ADMIN, password=None, issuer="https://other.example.org")
    for number, name in enumerate(("anna", "robot", "keys.only", "elsewhere", "root")):
        arrival = replace(ANNA, subject=f"subject-{number}", name=name)
        assert "is not one that logs in" in why_refused(database, arrival, provider)


@pytest.mark.parametrize("name", ["Anna", "anna lang", "", "system", "a\0b", "x" * 65, None])
def test_a_name_that_no_user_can_have_is_refused(database: Database, name: str | None) -> None:
    assert "gives no name" in why_refused(database, replace(ANNA, name=name), ANYBODY)


def test_an_unknown_user_is_made_only_where_the_settings_say_so(database: Database) -> None:
    assert "There is no user 'anna' here" in why_refused(database)
    assert "There is no user 'anna' here" in why_refused(database, provider=GROUPS)
    assert come(database, provider=ANYBODY).user_name == "anna"
    with database.read() as session:
        user = find_user(session, "anna")
    assert (user.role, user.login, user.kind, user.password_hash) == ("trainer", "oidc", AccountKind.PERSON, None)


def test_the_groups_decide_on_the_role_at_each_login_and_older_logins_end(database: Database) -> None:
    expect(database, "anna")
    before = come(database, provider=GROUPS)
    assert role_of(database) == "trainer"
    come(database, provider=GROUPS)
    after = come(database, replace(ANNA, groups=frozenset({"guests", "heads", "others"})), GROUPS)
    assert role_of(database) == "approver"
    with database.read() as session:
        rows = session.execute(select(LoginSessionRow.id, LoginSessionRow.revoked_at))
        live = {row.id for row in rows if row.revoked_at is None}
        entry = next(each for each in list_entries(session, limit=9) if each.action == "user_changed")
    assert (before.session_id in live, after.session_id in live) == (False, True)
    assert (entry.before, entry.after, entry.actor) == ({"role": "trainer"}, {"role": "approver"}, "anna")
    assert "None of your groups" in why_refused(database, replace(ANNA, groups=frozenset({"others"})), GROUPS)
    assert "gives no groups in the claim groups" in why_refused(database, replace(ANNA, groups=frozenset()), GROUPS)
    assert role_of(database) == "approver"
    # Without groups in the settings, the role is what an admin says.
    come(database, replace(ANNA, groups=frozenset()))
    assert role_of(database) == "approver"


@pytest.mark.asvs("6.8.4", "7.5.1")
def test_a_login_is_recent_only_if_the_provider_has_asked_of_late_and_says_so(database: Database) -> None:
    now = int(provider_logins(database).now())
    moments = {now: True, now - 14 * 60: True, now - 15 * 60 - 1: False, 0: False, None: False}
    for moment, recent in moments.items():
        issued = come(database, replace(ANNA, asked_at=moment), ANYBODY)
        with database.read() as session:
            row = session.get_one(LoginSessionRow, issued.session_id)
            kept = None if row.authenticated_at is None else row.authenticated_at.timestamp()
            assert (kept, row.created_at.timestamp() >= now) == (moment, True)
            try:
                expect_recent(session, issued.session_id)
            except LoginTooOld:
                assert not recent
            else:
                assert recent


def test_who_was_switched_off_or_deleted_does_not_come_back(database: Database) -> None:
    come(database, provider=ANYBODY)
    with database.write() as session:
        change_user(session, "anna", active=False)
    assert "may not log in here at present" in why_refused(database, provider=ANYBODY)
    with database.write() as session:
        delete_user(session, "anna")
    assert "was deleted here" in why_refused(database, provider=ANYBODY)
    # Somebody else does not get what the record has under that name.
    assert "was deleted here" in why_refused(database, replace(ANNA, subject="subject-2"), ANYBODY)
    expect(database, "anna")
    assert come(database).user_name == "anna"


def test_who_was_deleted_can_be_made_again_under_another_name(database: Database) -> None:
    come(database, provider=ANYBODY)
    with database.write() as session:
        delete_user(session, "anna")
    expect(database, "anna.lang")
    assert come(database, replace(ANNA, name="anna.lang")).user_name == "anna.lang"


def test_nobody_becomes_the_first_user(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(UserRow))
    with pytest.raises(NoAccounts):
        come(database, provider=ANYBODY)
    with database.read() as session:
        assert list_users(session, limit=9) == []


@pytest.mark.asvs("10.5.1")
def test_an_attempt_leads_to_one_login(database: Database) -> None:
    expect(database, "anna")
    known = provider_logins(database)
    attempt = attempt_of(known)
    known.log_in(ANNA, attempt, SENDER, seconds=900)
    with pytest.raises(LoginRefused, match="used already"):
        known.log_in(ANNA, attempt, SENDER, seconds=900)


def test_of_several_first_logins_at_once_all_are_of_one_user(database: Database) -> None:
    issued = at_once(*[partial(come, database, ANNA, ANYBODY)] * 4)
    assert [each.user_name for each in issued] == ["anna"] * 4
    with database.read() as session:
        assert [user.name for user in list_users(session, limit=9)] == ["anna", "root"]
        assert verify(session, KEY).whole


def test_a_login_is_a_password_or_the_provider(database: Database) -> None:
    add_user(database, "anna", Role.TRAINER)
    with database.write() as session:
        changed = change_user(session, "anna", issuer=ISSUER)
    assert changed.after == {"login": "oidc"}
    with pytest.raises(PlatformError):
        logins(database).log_in("anna", PASSWORD)
    assert come(database).user_name == "anna"
    # Another person of that name, once an admin says so again.
    with database.write() as session:
        change_user(session, "anna", issuer=ISSUER)
    assert come(database, replace(ANNA, subject="subject-2")).user_name == "anna"
    assert "is not one that logs in" in why_refused(database)
    with database.write() as session:
        change_user(session, "anna", password=hashed())
    assert logins(database).log_in("anna", PASSWORD).user_name == "anna"
    assert "is not one that logs in" in why_refused(database, replace(ANNA, subject="subject-2"))


def test_what_cannot_log_in_through_a_provider_is_refused(database: Database) -> None:
    add_user(database, "robot", service=True)
    with database.write() as session:
        for password in (None, hashed()):
            kind = AccountKind.SERVICE if password is None else AccountKind.PERSON
            with pytest.raises(InvalidRequest):
                create_user(session, "x", role=Role.VIEWER, password=password, kind=kind, issuer=ISSUER)
        with pytest.raises(InvalidRequest, match="service"):
            change_user(session, "robot", issuer=ISSUER)
        with pytest.raises(InvalidRequest, match="password"):
            change_user(session, "root", password=hashed(), issuer=ISSUER)
        # The way in without the provider stays.
        with pytest.raises(LastAdmin):
            change_user(session, "root", issuer=ISSUER)


def test_a_refusal_is_recorded_with_its_reason(database: Database) -> None:
    known = provider_logins(database)
    with pytest.raises(LoginRefused) as refused:
        known.log_in(ANNA, attempt_of(known), SENDER, seconds=900)
    for name in ("anna", None):
        # Of two from one address, the second would be counted.
        provider_logins(database).note_refusal(refused.value, name, SENDER)
    with database.read() as session:
        (unknown, anna) = list_entries(session, limit=9)
    assert (anna.action, anna.subject, anna.actor, anna.via) == ("login_refused", "user anna", "anonymous", "oidc")
    reason = "There is no user 'anna' here. Have an admin make one that logs in by oidc."
    assert (anna.after, anna.outcome) == ({"issuer": ISSUER, "reason": reason}, "refused")
    assert unknown.subject == "an unknown user"
