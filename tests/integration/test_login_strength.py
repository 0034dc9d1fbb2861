"""How strong and how fresh a login at an identity provider has to be, whatever the provider says of it."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from shared.accounts.oidc.attempts import ATTEMPT_SECONDS
from shared.accounts.oidc.exchange import ProviderExchange
from shared.accounts.oidc.provider import Arrival
from shared.accounts.oidc.strength import asked_at, expect_fresh, expect_strong
from shared.errors import LoginRefused
from tests.integration.test_identity_provider import ATTEMPTS, THERE
from tests.support.identity_provider import IdentityProvider, identity_provider, query_of

pytestmark = pytest.mark.any_stack

NOW = 1_800_000_000.5


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


def exchange_with(idp: IdentityProvider, acr: tuple[str, ...] = ()) -> ProviderExchange:
    return ProviderExchange(replace(THERE, issuer=idp.url, acr=acr))


def come(exchange: ProviderExchange, *, fresh: bool = False, begun_ago: float = 0, leave_out: str = "") -> Arrival:
    """Go to the provider and come back; the person leaves something out of the address on the way there."""
    attempt = ATTEMPTS.begin("/docs", time.time() - begun_ago, fresh=fresh)[0]

    async def go() -> Arrival:
        address = await exchange.address(attempt)
        asked = {name: value for name, value in query_of(address).items() if name != leave_out}
        back = await asyncio.to_thread(httpx2.get, address.partition("?")[0], params=asked)
        return await exchange.arrival(attempt, query_of(back.headers["Location"]), now=time.time())

    return asyncio.run(go())


def why_refused(exchange: ProviderExchange, **how: Any) -> str:
    with pytest.raises(LoginRefused) as refused:
        come(exchange, **how)
    return refused.value.detail.removesuffix(LoginRefused.hint).strip()


@pytest.mark.asvs("6.8.4")
@pytest.mark.parametrize(
    "said", [-1, 2**70, int(NOW) + 31, 1_700_000_000.0, "1700000000", True, False, [1_700_000_000], {}, ""]
)
def test_what_is_no_moment_of_the_past_is_refused_by_the_name_of_its_claim(said: object) -> None:
    with pytest.raises(LoginRefused) as refused:
        asked_at({"auth_time": said}, now=NOW)
    assert refused.value.detail.startswith("The ID token has no moment of the past in the claim auth_time. Begin again")


def test_a_moment_counts_as_it_is_and_never_as_one_that_is_still_to_come() -> None:
    given = {0: 0, 1_700_000_000: 1_700_000_000, int(NOW): int(NOW), int(NOW) + 30: int(NOW), None: None}
    assert {said: asked_at({"auth_time": said}, now=NOW) for said in given} == given
    assert asked_at({}, now=NOW) is None


def test_the_clock_of_the_provider_may_be_half_a_minute_behind_that_of_the_attempt() -> None:
    expect_fresh(970, since=1000)
    for asked in (969, 0, None):
        with pytest.raises(LoginRefused, match="auth_time"):
            expect_fresh(asked, since=1000)


@pytest.mark.asvs("6.8.4")
@pytest.mark.parametrize("said", ["bronze", "GOLD", "gold silver", "gold ", "", 2, True, ["gold"], {"gold": 1}])
def test_another_way_to_log_in_than_those_that_are_accepted_is_refused_without_its_name(said: object) -> None:
    with pytest.raises(LoginRefused, match="a way that is not accepted here") as refused:
        expect_strong({"acr": said}, ("silver", "gold"))
    assert "bronze" not in refused.value.detail
    expect_strong({"acr": said}, ())


@pytest.mark.asvs("6.8.4")
def test_the_provider_is_asked_for_the_ways_to_log_in_and_has_to_say_which_it_was(idp: IdentityProvider) -> None:
    exchange = exchange_with(idp, ("silver", "gold"))
    assert query_of(asyncio.run(exchange.address(ATTEMPTS.begin("/", 0)[0])))["acr_values"] == "silver gold"
    assert come(exchange).name == "anna"
    for said, reason in (("bronze", "a way that is not accepted"), (None, "lacks the claim acr")):
        idp.claims = {"acr": said, "preferred_username": None}
        # What is asked for beside the token is not signed.
        idp.userinfo = {"acr": "gold", "auth_time": int(time.time())}
        assert reason in why_refused(exchange)
    anybody = come(exchange_with(idp))
    assert anybody.asked_at is None
    assert "acr_values" not in query_of(asyncio.run(exchange_with(idp).address(ATTEMPTS.begin("/", 0)[0])))


@pytest.mark.asvs("6.8.4")
def test_whoever_is_to_be_asked_anew_is_let_in_only_if_the_provider_says_that_it_has(idp: IdentityProvider) -> None:
    exchange = exchange_with(idp)
    plain = come(exchange)
    assert plain.asked_at is None
    anew = come(exchange, fresh=True).asked_at
    assert anew is not None
    assert time.time() - anew < 60
    # The person, or somebody at their open page, changes what the provider is asked.
    assert "lacks the claim auth_time" in why_refused(exchange, fresh=True, leave_out="max_age")
    idp.moments = {"auth_time": -3600}
    assert "let you through without" in why_refused(exchange, fresh=True)
    # An attempt takes minutes, and what was before it does not count.
    idp.moments = {"auth_time": -ATTEMPT_SECONDS}
    assert "let you through without" in why_refused(exchange, fresh=True, begun_ago=ATTEMPT_SECONDS - 60)
    assert come(exchange, fresh=True, begun_ago=ATTEMPT_SECONDS).asked_at is not None
    idp.moments, idp.claims = {}, {"auth_time": "now"}
    for fresh in (True, False):
        assert "in the claim auth_time" in why_refused(exchange, fresh=fresh)


def test_the_provider_is_told_to_ask_anew_only_where_that_is_wanted(idp: IdentityProvider) -> None:
    exchange = exchange_with(idp)
    asked = [query_of(asyncio.run(exchange.address(ATTEMPTS.begin("/", 0, fresh=fresh)[0]))) for fresh in (True, False)]
    assert [(each.get("max_age"), each.get("prompt")) for each in asked] == [("0", "login"), (None, None)]


def test_neither_kind_of_attempt_becomes_the_other(idp: IdentityProvider) -> None:
    for fresh in (True, False):
        attempt, kept = ATTEMPTS.begin("/docs", 1000, fresh=fresh)
        assert ATTEMPTS.recognise(kept, 1000) == attempt
        assert (attempt.fresh, attempt.began_at) == (fresh, 1000)
        parts = kept.split(".")
        parts[2] = str(int(not fresh))
        assert ATTEMPTS.recognise(".".join(parts), 1000) is None
        # What the other kind has led to is of no use, either: it belongs to another attempt.
        other = ATTEMPTS.begin("/docs", 1000, fresh=not fresh)[0]
        assert not attempt.is_of(other.state)
        back = httpx2.get(asyncio.run(exchange_with(idp).address(other))).headers["Location"]
        with pytest.raises(LoginRefused, match="invalid_grant"):
            asyncio.run(exchange_with(idp).arrival(attempt, query_of(back), now=time.time()))
