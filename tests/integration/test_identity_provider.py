"""What is taken from an identity provider and what is not, whatever it does."""

import asyncio
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import RSAKey

from cli.doctor.access import check_provider_logins
from shared.accounts.oidc import asking, discovery, keys
from shared.accounts.oidc.attempts import LoginAttempt, LoginAttempts
from shared.accounts.oidc.exchange import ProviderExchange, check_provider
from shared.accounts.oidc.id_tokens import checked_claims
from shared.accounts.oidc.provider import Arrival, Provider
from shared.accounts.permissions import Role
from shared.errors import IdentityProviderUnavailable, LoginRefused, WrongSettings
from shared.settings import Settings, load_settings
from tests.support.identity_provider import (
    CLIENT,
    PERSON,
    SECRET,
    IdentityProvider,
    curve_key,
    half_hash,
    identity_provider,
    joined,
    query_of,
    rsa_key,
    signed,
)

pytestmark = pytest.mark.any_stack

DISCOVERY, KEYS, TOKEN = "/.well-known/openid-configuration", "/somewhere/keys", "/there/token"


@dataclass(frozen=True)
class Secret:
    """A key of a platform."""

    secret: bytes = b"s" * 32


@dataclass
class HandClock:
    """Seconds that go on when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


ATTEMPTS = LoginAttempts(Secret())
THERE = Provider(
    issuer="",
    client_id=CLIENT,
    public_url="http://127.0.0.1:8000",
    scopes="openid",
    name_claim="preferred_username",
    groups_claim="groups",
    roles={"ml": Role.TRAINER},
    new_users=False,
)


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


def exchange_with(idp: IdentityProvider, **settings: Any) -> ProviderExchange:
    return ProviderExchange(replace(THERE, issuer=idp.url, **settings))


def begun() -> LoginAttempt:
    return ATTEMPTS.begin("/docs", time.time())[0]


def arrive(exchange: ProviderExchange, **told: str | None) -> Arrival:
    """Go to the provider and come back; `told` is changed of what it says, None for what it leaves out."""
    attempt = begun()

    async def go() -> Arrival:
        address = await exchange.address(attempt)
        # The browser, which knows the address alone.
        back = await asyncio.to_thread(httpx2.get, address)
        said: dict[str, str | None] = {**query_of(back.headers["Location"]), **told}
        given = {name: value for name, value in said.items() if value is not None}
        return await exchange.arrival(attempt, given, now=time.time())

    return asyncio.run(go())


def why_refused(exchange: ProviderExchange, **told: str | None) -> str:
    with pytest.raises(LoginRefused) as refused:
        arrive(exchange, **told)
    return refused.value.detail


def test_whoever_comes_back_is_who_the_provider_says(idp: IdentityProvider) -> None:
    arrived = arrive(exchange_with(idp))
    assert arrived == Arrival(issuer=idp.url, subject=PERSON, name="anna", groups=frozenset({"ml"}))


@pytest.mark.parametrize(("claim", "reason"), [("sub", "names nobody"), ("nonce", "another login")])
def test_half_a_character_is_part_of_nothing(idp: IdentityProvider, claim: str, reason: str) -> None:
    def written_in_ascii(claims: dict[str, Any]) -> str:
        return jws.serialize_compact({"alg": "RS256", "kid": "first"}, json.dumps(claims), rsa_key())

    idp.sign, idp.claims = written_in_ascii, {claim: "\ud800"}
    assert reason in why_refused(exchange_with(idp))


def test_half_a_character_is_part_of_no_access_token(idp: IdentityProvider) -> None:
    idp.tokens = {"access_token": "\ud800"}
    assert "another access token" in why_refused(exchange_with(idp))


def test_the_provider_is_told_nothing_that_shows_the_secrets_of_an_attempt(idp: IdentityProvider) -> None:
    attempt = begun()
    asked = query_of(asyncio.run(exchange_with(idp).address(attempt)))
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/login/oidc/callback"
    assert attempt.verifier not in asked.values()
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], attempt.verifier}) == 4


@pytest.mark.parametrize("ways", [None, ["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
def test_a_secret_is_sent_in_the_way_that_the_provider_takes(idp: IdentityProvider, ways: list[str] | None) -> None:
    idp.secret, idp.metadata = SECRET, {"token_endpoint_auth_methods_supported": ways}
    assert arrive(exchange_with(idp, secret=SECRET)).subject == PERSON
    assert "invalid_grant" in why_refused(exchange_with(idp, secret="another"))


@pytest.mark.asvs("10.1.2", "10.2.1")
def test_a_code_is_of_no_use_with_another_attempt(idp: IdentityProvider) -> None:
    exchange, mine, theirs = exchange_with(idp), begun(), begun()
    back = httpx2.get(asyncio.run(exchange.address(theirs))).headers["Location"]
    with pytest.raises(LoginRefused, match="invalid_grant"):
        asyncio.run(exchange.arrival(mine, query_of(back), now=time.time()))


WRONG_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "http://127.0.0.1:1"}, "another issuer"),
    "no issuer": ({"iss": None}, "lacks a claim"),
    "another client": ({"aud": "another"}, "another client"),
    "no client": ({"aud": []}, "lacks a claim"),
    "several clients and nobody who asked": ({"aud": [CLIENT, "another"]}, "given to another client"),
    "asked for by another": ({"azp": "another"}, "given to another client"),
    "asked for by another of several": ({"aud": [CLIENT, "another"], "azp": "another"}, "given to another client"),
    "another login": ({"nonce": "n" * 43}, "another login"),
    "no login": ({"nonce": None}, "lacks a claim"),
    "a list of logins": ({"nonce": ["n"]}, "another login"),
    "no end": ({"exp": None}, "lacks a claim"),
    "an end that is no number": ({"exp": "never"}, "expired"),
    "nobody": ({"sub": ""}, "lacks a claim"),
    "a subject that is no text": ({"sub": 7}, "lacks a claim"),
    "a long subject": ({"sub": "x" * 256}, "names nobody"),
    "a subject that no database keeps": ({"sub": "x\0"}, "names nobody"),
    "another access token": ({"at_hash": half_hash("another")}, "another access token"),
    "groups in a form of its own": ({"groups": {"ml": True}}, "groups"),
}


@pytest.mark.asvs("6.8.1", "10.5.1", "10.5.4")
@pytest.mark.parametrize(("claims", "reason"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_a_token_with_a_wrong_claim_is_refused(idp: IdentityProvider, claims: dict[str, Any], reason: str) -> None:
    idp.claims = claims
    assert reason in why_refused(exchange_with(idp))


@pytest.mark.asvs("9.2.1")
@pytest.mark.parametrize(
    "moments", [{"exp": -600}, {"iat": 600}, {"nbf": 600}], ids=["over", "of the future", "not yet"]
)
def test_a_token_counts_in_its_time_only(idp: IdentityProvider, moments: dict[str, int]) -> None:
    idp.moments = moments
    assert "expired, is of the future" in why_refused(exchange_with(idp))


def test_clocks_may_differ_by_half_a_minute() -> None:
    claims = {"iss": "i", "sub": PERSON, "aud": CLIENT, "exp": 1000, "iat": 900, "nbf": 900, "nonce": "n"}
    check = partial(
        checked_claims, signed(claims), rsa_key(), issuer="i", client_id=CLIENT, nonce="n", access_token=None
    )
    for now in (870, 1029):
        assert check(now=now)["sub"] == PERSON
    for now in (869, 1030):
        with pytest.raises(LoginRefused):
            check(now=now)


RIGHT_CLAIMS: dict[str, dict[str, Any]] = {
    "several clients, asked for by this one": {"aud": ["another", CLIENT], "azp": CLIENT},
    "no hash of the access token": {"at_hash": None},
    "one group that is no list": {"groups": "ml"},
}


@pytest.mark.parametrize("claims", RIGHT_CLAIMS.values(), ids=RIGHT_CLAIMS.keys())
def test_what_the_standard_allows_is_taken(idp: IdentityProvider, claims: dict[str, Any]) -> None:
    idp.claims = claims
    assert arrive(exchange_with(idp)).groups == {"ml"}


def by_public_key(claims: dict[str, Any]) -> str:
    """A token that whoever knows the public key can make."""
    unsigned = joined({"alg": "HS256", "kid": "first"}, claims).rpartition(".")[0]
    mac = hmac.new(rsa_key().as_pem(private=False), unsigned.encode(), hashlib.sha256).digest()
    return joined({"alg": "HS256", "kid": "first"}, claims, mac)


WRONG_SIGNATURES: dict[str, tuple[Any, str]] = {
    "none": (lambda claims: joined({"alg": "none"}, claims), "not signed in a way"),
    "None": (lambda claims: joined({"alg": "None", "kid": "first"}, claims), "not signed in a way"),
    "by the public key": (by_public_key, "not signed in a way"),
    "by a key of its own": (lambda claims: signed(claims, RSAKey.generate_key(2048), kid="first"), "signature"),
    "no signature": (lambda claims: joined({"alg": "RS256", "kid": "first"}, claims), "signature"),
    "another algorithm than its key has": (lambda claims: signed(claims, curve_key(), "ES256", kid="first"), "key"),
    "an unknown key": (lambda claims: signed(claims, kid="unknown"), "unknown key"),
    "a key that is no text": (lambda claims: joined({"alg": "RS256", "kid": 7}, claims), "unknown key"),
    "something critical": (lambda claims: joined({"alg": "RS256", "kid": "first", "crit": ["x"]}, claims), "signature"),
    "no token": (lambda _: "nonsense", "can be read"),
    "deep": (lambda _: "W1tb" * 9000 + ".e30.e30", "can be read"),
    "claims that are a list": (lambda _: joined({"alg": "RS256", "kid": "first"}, []), "signature"),  # type: ignore[arg-type]  # that is the point
}


@pytest.mark.asvs("6.8.2", "9.1.1", "9.1.2", "11.6.1")
@pytest.mark.parametrize(("sign", "reason"), WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES.keys())
def test_a_token_that_is_signed_wrongly_is_refused(idp: IdentityProvider, sign: Any, reason: str) -> None:
    idp.sign = sign
    assert reason in why_refused(exchange_with(idp))


def test_tokens_of_other_algorithms_and_without_a_name_of_their_key_are_taken(idp: IdentityProvider) -> None:
    idp.keys.append(curve_key().as_dict(private=False))
    idp.claims = {"at_hash": None}
    for algorithm, key in (("ES256", curve_key()), ("PS384", rsa_key())):
        idp.sign = partial(signed, key=key, algorithm=algorithm, kid=None)
        assert arrive(exchange_with(idp)).subject == PERSON


def test_of_two_keys_a_token_has_to_name_one(idp: IdentityProvider) -> None:
    idp.keys.append(rsa_key("second").as_dict(private=False))
    idp.sign = lambda claims: signed(claims, kid=None)
    assert "unknown key" in why_refused(exchange_with(idp))


@pytest.mark.parametrize("of", ["encryption", "another algorithm", "a secret"])
def test_a_key_that_is_not_for_this_is_not_taken(idp: IdentityProvider, of: str) -> None:
    changed = {"encryption": {"use": "enc"}, "another algorithm": {"alg": "RS512"}, "a secret": {"kty": "oct"}}[of]
    idp.keys = [rsa_key().as_dict(private=False) | changed]
    assert "unknown key" in why_refused(exchange_with(idp))


@pytest.mark.asvs("11.6.1")
# Where warnings are errors the library refuses them, too, which it does nowhere else.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_key_that_is_too_short_is_not_taken(idp: IdentityProvider, bits: int) -> None:
    made = rsa.generate_private_key(65537, bits)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    short = RSAKey.import_key(pem, {"kid": "first"})
    idp.keys, idp.sign = [short.as_dict(private=False)], partial(signed, key=short)
    assert "unknown key" in why_refused(exchange_with(idp))


def test_a_new_key_is_looked_for_but_not_at_every_token(idp: IdentityProvider) -> None:
    clock, exchange = HandClock(), exchange_with(idp)
    exchange._keys = keys.KnownKeys(clock)
    arrive(exchange)
    idp.sign, idp.keys = lambda claims: signed(claims, rsa_key("second")), [rsa_key("second").as_dict(private=False)]
    for _ in range(3):
        assert "unknown key" in why_refused(exchange)
    assert idp.asked[KEYS] == 1
    clock.now += 31
    assert arrive(exchange).subject == PERSON
    # The key that is gone is not taken any more.
    idp.sign = signed
    assert "unknown key" in why_refused(exchange)
    assert idp.asked[KEYS] == 2
    clock.now += 31
    assert "unknown key" in why_refused(exchange)
    assert idp.asked[KEYS] == 3
    idp.sign = lambda claims: signed(claims, rsa_key("second"))
    clock.now += 7201
    arrive(exchange)
    assert idp.asked[KEYS] == 4


def test_no_login_waits_for_keys_that_are_known_however_slow_the_provider_is(
    idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.5)
    clock = HandClock()
    known = keys.KnownKeys(clock)
    find = partial(known.find, f"{idp.url}{KEYS}", algorithm="RS256")

    async def work() -> None:
        await find("first")
        idp.silent.add(KEYS)
        clock.now += 3601
        assert await find("first")
        unknown = [asyncio.create_task(find("new")) for _ in range(5)]
        await asyncio.sleep(0)
        # Nor for what somebody else waits for.
        assert await find("first")
        assert not any(task.done() for task in unknown)
        found = await asyncio.gather(*unknown, return_exceptions=True)
        assert {type(each) for each in found} == {IdentityProviderUnavailable}
        assert idp.asked[KEYS] == 2, "of all these, one has asked"
        # Who needs another one a moment later is told at once.
        with pytest.raises(IdentityProviderUnavailable, match="does not answer within"):
            await find("new")
        assert idp.asked[KEYS] == 2
        # A key that was taken back does not count for ever.
        clock.now += 3600
        with pytest.raises(IdentityProviderUnavailable, match="does not answer within"):
            await find("first")
        assert idp.asked[KEYS] == 3

    asyncio.run(work())


def test_keys_are_asked_for_again_while_logins_go_on(idp: IdentityProvider) -> None:
    clock = HandClock()
    known = keys.KnownKeys(clock)

    async def work() -> None:
        await known.find(f"{idp.url}{KEYS}", "first", "RS256")
        idp.keys.append(rsa_key("second").as_dict(private=False))
        clock.now += 3601
        await known.find(f"{idp.url}{KEYS}", "first", "RS256")
        assert known._asking is not None
        await known._asking
        assert await known.find(f"{idp.url}{KEYS}", "second", "RS256")
        assert idp.asked[KEYS] == 2

    asyncio.run(work())


def test_what_the_token_does_not_tell_is_asked_for(idp: IdentityProvider) -> None:
    idp.claims = {"preferred_username": None, "groups": None}
    idp.userinfo = {"preferred_username": "berta", "groups": ["ml", "staff"], "nonce": "another"}
    arrived = arrive(exchange_with(idp))
    assert (arrived.name, sorted(arrived.groups)) == ("berta", ["ml", "staff"])
    idp.userinfo["sub"] = "somebody else"
    assert "of whom the ID token is" in why_refused(exchange_with(idp))
    idp.metadata = {"userinfo_endpoint": None}
    assert arrive(exchange_with(idp)).name is None


@pytest.mark.parametrize("confirmed", [True, False, None, "true"])
def test_an_address_is_a_name_only_if_it_is_confirmed(idp: IdentityProvider, confirmed: object) -> None:
    idp.claims = {"email": "anna@example.org", "email_verified": confirmed}
    arrived = arrive(exchange_with(idp, name_claim="email"))
    assert arrived.name == ("anna@example.org" if confirmed is True else None)


@pytest.mark.asvs("10.2.2")
def test_the_answer_has_to_be_of_the_provider_that_was_asked(idp: IdentityProvider) -> None:
    for iss in ("http://127.0.0.1:1", None):
        assert "another identity provider" in why_refused(exchange_with(idp), iss=iss)
    idp.metadata = {"authorization_response_iss_parameter_supported": None}
    assert arrive(exchange_with(idp), iss=None).subject == PERSON
    assert "another identity provider" in why_refused(exchange_with(idp), iss="http://127.0.0.1:1")


def test_what_the_provider_says_is_wrong_is_told(idp: IdentityProvider) -> None:
    said = why_refused(exchange_with(idp), code=None, error="access_denied", error_description="Not\x00 you <b>.")
    assert "The identity provider says: access_denied (Not  you <b>.)." in said
    assert "sends no code" in why_refused(exchange_with(idp), code=None)
    idp.tokens = {"id_token": None}
    assert "no ID token" in why_refused(exchange_with(idp))


WRONG_METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "http://127.0.0.1:1"},
    "no issuer": {"issuer": None},
    "an address without https": {"token_endpoint": "http://login.example.org/token"},
    "an address of this machine's files": {"jwks_uri": "file:///etc/passwd"},
    "an address that is none": {"authorization_endpoint": 7},
    "no address of its keys": {"jwks_uri": None},
    "a user in an address": {"userinfo_endpoint": "https://me@login.example.org/me"},
}


@pytest.mark.asvs("10.5.3")
@pytest.mark.parametrize("metadata", WRONG_METADATA.values(), ids=WRONG_METADATA.keys())
def test_a_provider_that_describes_itself_wrongly_is_not_asked(idp: IdentityProvider, metadata: dict[str, Any]) -> None:
    idp.metadata = metadata
    with pytest.raises(IdentityProviderUnavailable):
        arrive(exchange_with(idp))
    assert idp.asked.keys() == {DISCOVERY}
    with pytest.raises(IdentityProviderUnavailable):
        check_provider(replace(THERE, issuer=idp.url))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9000/token", "https://", "file:///etc/passwd", "", None])
def test_a_provider_that_is_elsewhere_leads_nobody_to_this_machine(address: str | None) -> None:
    issuer = "https://login.example.org"
    assert asking.expect_private(f"{issuer}/token", called="token endpoint", issuer=issuer) == f"{issuer}/token"
    with pytest.raises(IdentityProviderUnavailable, match="names no token endpoint"):
        asking.expect_private(address, called="token endpoint", issuer=issuer)


ODD_ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "an error": (500, {}, b"{}"),
    "a redirect": (302, {"Location": "/elsewhere"}, b""),
    "no JSON": (200, {}, b"<html>"),
    "a list": (200, {}, b"[]"),
    "deep": (200, {}, b"[" * 200_000),
    "not there": (404, {}, b"{}"),
}


@pytest.mark.parametrize(
    "path", [DISCOVERY, *(pytest.param(path, marks=pytest.mark.thorough) for path in (KEYS, TOKEN))]
)
@pytest.mark.parametrize("odd", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_an_odd_answer_of_the_provider_ends_the_login(
    idp: IdentityProvider, path: str, odd: tuple[int, dict[str, str], bytes]
) -> None:
    idp.instead[path] = odd
    with pytest.raises((IdentityProviderUnavailable, LoginRefused)):
        arrive(exchange_with(idp))
    assert "/elsewhere" not in idp.asked


def test_an_answer_is_read_to_a_limit_and_never_unpacked(idp: IdentityProvider) -> None:
    idp.metadata = {"padding": "x" * asking.MOST_BYTES}
    with pytest.raises(IdentityProviderUnavailable, match="answers with more than 262,144 bytes"):
        arrive(exchange_with(idp))
    idp.metadata = {}
    packed = gzip.compress(json.dumps(idp.described()).encode())
    idp.instead[DISCOVERY] = (200, {"Content-Encoding": "gzip"}, packed)
    with pytest.raises(IdentityProviderUnavailable, match="not with JSON"):
        arrive(exchange_with(idp))


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN])
def test_a_silent_provider_is_given_up(idp: IdentityProvider, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.2)
    idp.silent.add(path)
    with pytest.raises(IdentityProviderUnavailable, match="does not answer within"):
        arrive(exchange_with(idp))


def test_a_provider_that_is_down_is_told_apart_from_one_that_is_silent() -> None:
    with pytest.raises(IdentityProviderUnavailable, match="cannot be reached"):
        check_provider(replace(THERE, issuer="http://127.0.0.1:1"))


def test_a_provider_that_was_down_is_asked_again_a_little_later_and_seldom_while_it_is_up(
    idp: IdentityProvider,
) -> None:
    clock = HandClock()
    known = discovery.KnownMetadata(idp.url, clock)
    idp.instead[DISCOVERY] = (503, {}, b"")
    for _ in range(3):
        with pytest.raises(IdentityProviderUnavailable, match="status 503"):
            asyncio.run(known.get())
    assert idp.asked[DISCOVERY] == 1
    del idp.instead[DISCOVERY]
    clock.now += 3
    for _ in range(3):
        assert asyncio.run(known.get()).jwks_uri == f"{idp.url}{KEYS}"
    assert idp.asked[DISCOVERY] == 2
    clock.now += 3601
    asyncio.run(known.get())
    assert idp.asked[DISCOVERY] == 3


def test_a_login_on_its_way_goes_on_though_the_provider_does_not_describe_itself_anew(idp: IdentityProvider) -> None:
    clock, exchange, attempt = HandClock(), exchange_with(idp), begun()
    exchange._metadata = discovery.KnownMetadata(idp.url, clock)

    async def go() -> None:
        back = await asyncio.to_thread(httpx2.get, await exchange.address(attempt))
        idp.instead[DISCOVERY] = (503, {}, b"")
        clock.now += 3601
        arrived = await exchange.arrival(attempt, query_of(back.headers["Location"]), now=time.time())
        assert (arrived.name, idp.asked[DISCOVERY]) == ("anna", 2)
        await exchange.address(attempt)
        assert idp.asked[DISCOVERY] == 2, "it was asked a moment ago"
        clock.now += 3600
        with pytest.raises(IdentityProviderUnavailable, match="status 503"):
            await exchange.address(attempt)
        idp.instead.clear()
        clock.now += 3
        await exchange.address(attempt)

    asyncio.run(go())


def test_an_attempt_is_recognised_for_ten_minutes_by_the_platform_that_began_it() -> None:
    attempt, kept = ATTEMPTS.begin("/jobs?status=failed", 1000, before="a-login")
    assert ATTEMPTS.recognise(kept, 1600) == attempt
    assert (attempt.back_to, attempt.before) == ("/jobs?status=failed", "a-login")
    assert ATTEMPTS.recognise(kept, 1601) is None
    assert ATTEMPTS.recognise(kept, 990) is None
    assert LoginAttempts(Secret(b"o" * 32)).recognise(kept, 1000) is None
    number, _, rest = kept.partition(".")
    for changed in (f"{number[:-1]}x.{rest}", kept.replace("1000.", "2000."), kept[:-1], f"{kept}x", "", "a.b.c.d"):
        assert ATTEMPTS.recognise(changed, 1000) is None
    for secret in (attempt.state, attempt.nonce, attempt.verifier):
        assert secret not in kept


def test_the_doctor_looks_at_the_provider(idp: IdentityProvider, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    given: dict[str, Any] = {"home": tmp_path, "oidc_client_id": CLIENT, "oidc_client_secret_file": file}
    settings = Settings(**given, oidc_issuer=idp.url, public_url="http://127.0.0.1:8000")
    found = check_provider_logins(settings)
    assert (found.state, "leads back to http://127.0.0.1:8000/login/oidc/callback" in found.found) == ("ok", True)
    strict = settings.model_copy(update={"oidc_acr": "gold silver"})
    assert check_provider_logins(strict).found == f"{found.found}, if it says acr gold or silver"
    idp.metadata = {"issuer": f"{idp.url}/"}
    found = check_provider_logins(settings)
    assert (found.state, "names another issuer" in found.found) == ("broken", True)
    assert "mlmini admin key" in found.hint
    assert check_provider_logins(Settings(home=tmp_path)).found == "by names and passwords"


@pytest.mark.parametrize(
    "wrong",
    [
        "login.example.org",
        "http://login.example.org",
        "https://",
        "https://a b",
        "https://me@x.org",
        "https://x.org/?a=b",
    ],
)
def test_an_issuer_that_others_could_pretend_to_be_stops_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_OIDC_ISSUER", wrong)
    with pytest.raises(WrongSettings, match="MLMINI_OIDC_ISSUER: It must be the issuer"):
        load_settings()


@pytest.mark.parametrize(
    "wrong", ["http://ml.example.org", "https://ml.example.org/", "https://ml.example.org/ml", "ml"]
)
def test_a_public_address_that_others_could_read_stops_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_PUBLIC_URL", wrong)
    with pytest.raises(WrongSettings, match="MLMINI_PUBLIC_URL: It must be what stands before the path"):
        load_settings()
