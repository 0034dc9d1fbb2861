"""Who may ask for predictions is known again by a header as it stands; on both databases."""

import asyncio

import pytest

from api.access.admission import Admission
from shared.accounts.api_keys import create_key, find_by_key, revoke_key
from shared.accounts.known import KnownCredentials
from shared.accounts.memory import Recalled
from shared.accounts.permissions import Role, Scope
from shared.accounts.sight import ALL_SEEING, NO_TEAM, Sight
from shared.accounts.users import change_user, find_user
from shared.database import Database
from tests.support.accounts import PASSWORD, TOKENS, add_user, logins

Header = tuple[bytes, bytes]


class Hands:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(KnownCredentials):
    """Counts how often somebody looked into the memory."""

    recalls = 0

    def recall(self, credential: str) -> Recalled | None:
        self.recalls += 1
        return super().recall(credential)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def known(database: Database, clock: Hands) -> Counted:
    add_user(database, "anna", Role.TRAINER)
    known = Counted(database, TOKENS, 60, clock=clock)
    assert known.is_on()
    return known


def key_of(database: Database, *scopes: Scope) -> str:
    with database.write() as session:
        return create_key(session, find_user(session, "anna"), name="shop", scopes=scopes)[1]


def sent(*given: Header) -> dict[bytes, bytes]:
    """Headers of a request, with those that are given among them."""
    return dict([(b"host", b"127.0.0.1"), *given, (b"accept", b"*/*")])


def test_a_key_that_was_found_good_is_known_again_without_a_look_until_it_is_due(
    database: Database, known: Counted, clock: Hands
) -> None:
    key, admission = key_of(database, Scope.PREDICT), Admission(known)
    headers = sent((b"x-api-key", key.encode()))
    assert not admission.admits(headers), "the gate finds out first whose it is"
    known.identity(key)
    before = known.recalls
    assert all(admission.admits(headers) for _ in range(10))
    assert known.recalls == before + 1
    clock.now += 0.49
    assert admission.admits(headers)
    assert known.recalls == before + 1
    clock.now += 0.02

    async def ask() -> bool:
        admitted = admission.admits(headers) is not None
        await asyncio.get_running_loop().shutdown_default_executor()
        return admitted

    assert asyncio.run(ask())
    assert known.recalls == before + 2


def test_a_key_that_was_revoked_is_let_in_by_no_header_a_second_later(
    database: Database, known: Counted, clock: Hands
) -> None:
    key, admission = key_of(database, Scope.PREDICT), Admission(known)
    headers = sent((b"authorization", b"Bearer " + key.encode()))
    known.identity(key)
    clock.now += 0.3
    assert admission.admits(headers)
    with database.write() as session:
        found = find_by_key(session, key)
        assert found is not None
        revoke_key(session, found.key.id)

    async def ask() -> bool:
        admitted = admission.admits(headers) is not None
        await asyncio.get_running_loop().shutdown_default_executor()
        return admitted

    clock.now += 0.3
    assert asyncio.run(ask()), "it is looked up beside this request"
    assert not admission.admits(headers)


def test_what_this_process_has_changed_itself_counts_at_once(database: Database, known: Counted) -> None:
    key, admission = key_of(database, Scope.PREDICT), Admission(known)
    headers = sent((b"x-api-key", key.encode()))
    known.identity(key)
    assert admission.admits(headers)
    known.forget()
    assert not admission.admits(headers)


def test_a_key_that_ends_is_known_again_until_then_only(database: Database, known: Counted, clock: Hands) -> None:
    admission, issued = Admission(known), logins(database).log_in("anna", PASSWORD)
    headers = sent((b"authorization", f"Bearer {issued.access_token}".encode()))
    known.identity(issued.access_token)
    memory = known._memory
    [answer] = memory._answers.values()
    answer.ends_at = clock.now + 0.2
    assert admission.admits(headers)
    clock.now += 0.2
    assert not admission.admits(headers)


def test_only_a_key_for_predictions_that_comes_alone_is_let_in(database: Database, known: Counted) -> None:
    key, other, admission = key_of(database, Scope.PREDICT), key_of(database, Scope.READ), Admission(known)
    for each in (key, other):
        known.identity(each)
    good, bad = (b"x-api-key", key.encode()), (b"x-api-key", other.encode())
    for _ in range(2):
        assert admission.admits(sent(good))
        assert not admission.admits(sent(bad))
        assert not admission.admits(sent(good, (b"authorization", b"Bearer " + key.encode())))
        assert not admission.admits(sent((b"x-other", key.encode())))
        assert not admission.admits(sent((b"x-api-key", key.encode() + b"x")))
        assert not admission.admits(sent())


def test_no_header_is_kept_for_long_and_never_many(
    database: Database, known: Counted, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission(known)
    monkeypatch.setattr("api.access.admission._MOST_KEPT", 2)
    for key in [key_of(database, Scope.PREDICT) for _ in range(5)]:
        known.identity(key)
        assert admission.admits(sent((b"x-api-key", key.encode())))
        assert len(admission._good) <= 2
    clock.now += 1.1
    assert not admission.admits(sent((b"x-api-key", b"mlm_other")))
    assert not admission._good


def test_with_a_header_it_is_known_what_is_seen_and_a_change_of_teams_counts_a_second_later(
    database: Database, known: Counted, clock: Hands
) -> None:
    key, admission = key_of(database, Scope.PREDICT), Admission(known)
    headers = sent((b"x-api-key", key.encode()))

    async def ask() -> Sight | None:
        admitted = admission.admits(headers)
        await asyncio.get_running_loop().shutdown_default_executor()
        return admitted

    known.identity(key)
    assert [asyncio.run(ask()) for _ in range(2)] == [NO_TEAM, NO_TEAM]
    with database.write() as session:
        change_user(session, "anna", teams=["red", "blue"])
    clock.now += 0.6
    assert asyncio.run(ask()) == NO_TEAM, "one more, while it is looked up"
    assert [asyncio.run(ask()) for _ in range(2)] == [Sight(frozenset({"red", "blue"}))] * 2
    add_user(database, "otto", Role.ADMIN)
    with database.write() as session:
        admins = create_key(session, find_user(session, "otto"), name="all", scopes=[Scope.ADMIN])[1]
        predicts = create_key(session, find_user(session, "otto"), name="few", scopes=[Scope.PREDICT])[1]
    for each, sight in ((admins, ALL_SEEING), (predicts, NO_TEAM)):
        known.identity(each)
        assert admission.admits(sent((b"x-api-key", each.encode()))) == sight
