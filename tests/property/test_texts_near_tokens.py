"""Tokens, keys and cookies that were valid before something happened to them: none of them counts any more."""

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.credentials import COOKIE, credential_of
from shared.accounts.api_keys import is_key
from shared.accounts.oidc import id_tokens, keys, strength
from shared.accounts.oidc.attempts import ATTEMPT_SECONDS, LoginAttempts
from shared.accounts.tokens import AccessTokens
from shared.errors import LoginRefused, NotAuthenticated
from shared.registry.sealing import ArtifactKey
from tests.support.identity_provider import CLIENT, curve_key, rsa_key, signed
from tests.support.mutated import VALUES, bytes_near, effort, values_near

SECRET = b"t" * 32
TOKENS = AccessTokens(SECRET)
NOW = datetime(2026, 1, 31, tzinfo=UTC)
VALID = TOKENS.issue("anna", "s" * 22, 3, NOW)
CLAIMS = jwt.decode(VALID, options={"verify_signature": False})
OTHERS = [
    AccessTokens(b"u" * 32).issue("anna", "s" * 22, 3, NOW),
    jwt.encode(CLAIMS, "", algorithm="none"),
    jwt.encode(CLAIMS, b"t" * 64, algorithm="HS512"),
]
ISSUER, NONCE, SOON = "https://id.example.org", "n" * 43, int(NOW.timestamp())
PERSON = {"iss": ISSUER, "sub": "1", "aud": CLIENT, "iat": SOON, "exp": SOON + 300, "nonce": NONCE}
ASKED = PERSON | {"auth_time": SOON - 60, "acr": "gold"}
ATTEMPTS = LoginAttempts(ArtifactKey(b"k" * 32))
KEPT = ATTEMPTS.begin("/docs", SOON)[1]
KEY = "mlm_abcdefghij_" + "0" * 64


@effort(60)
@given(bytes_near([VALID.encode(), *(token.encode() for token in OTHERS)]))
def test_a_token_that_was_changed_is_refused(content: bytes) -> None:
    token = content.decode("latin-1")
    if token == VALID:
        assert TOKENS.read(token).user_name == "anna"
        return
    with pytest.raises(NotAuthenticated):
        TOKENS.read(token)


@effort(60)
@given(values_near([CLAIMS]))
def test_whatever_claims_a_token_of_ours_has_they_are_of_their_kinds_or_it_is_refused(claims: Any) -> None:
    token = _as_ours(json.dumps(claims).encode())
    try:
        found = TOKENS.read(token)
    except NotAuthenticated:
        return
    assert [type(value) for value in found] == [str, str, int, int, int]
    assert (claims["sub"], claims["iss"], claims["aud"]) == (found.user_name, CLAIMS["iss"], CLAIMS["aud"])


def _as_ours(content: bytes) -> str:
    """A token of this content, whatever that is, with the signature of ours."""
    return jwt.PyJWS().encode(content, SECRET, algorithm="HS256", headers={"typ": "JWT"})


@effort(60)
@given(bytes_near([KEY.encode(), f"{COOKIE}={VALID}".encode(), b"Bearer " + VALID.encode()]), st.booleans())
def test_any_headers_bring_one_credential_or_none(content: bytes, secure: bool) -> None:
    for name in (b"x-api-key", b"authorization", b"cookie"):
        found = credential_of([(name, content)], secure=secure)
        assert found is None or found.by_browser is (name == b"cookie")
        twice = credential_of([(name, content), (name, content)], secure=secure)
        assert twice is None or twice.text == ""
    assert not is_key(content.decode("latin-1")) or len(content) == len(KEY)


@effort(60)
@given(bytes_near([signed(PERSON).encode(), signed(PERSON, curve_key(), "ES256").encode()]))
def test_an_id_token_that_was_changed_lets_nobody_in(content: bytes) -> None:
    token = content.decode("latin-1")
    try:
        id_tokens.header_of(token)
        claims = _checked(token)
    except LoginRefused:
        return
    assert claims == PERSON


@effort(60)
@given(values_near([PERSON, PERSON | {"aud": [CLIENT, "other"], "azp": CLIENT, "at_hash": "x", "nbf": SOON}, ASKED]))
def test_whatever_the_provider_signs_it_names_a_person_of_this_login_or_is_refused(claims: Any) -> None:
    if not isinstance(claims, dict):
        return
    try:
        found = _checked(signed(claims))
        asked = strength.asked_at(found, now=SOON)
        strength.expect_strong(found, () if "acr" not in found else ("gold",))
    except LoginRefused:
        return
    assert (found["iss"], found["nonce"]) == (ISSUER, NONCE)
    assert isinstance(found["sub"], str)
    assert found["sub"].isprintable()
    assert CLIENT in found["aud"]
    assert asked is None or (type(asked) is int and 0 <= asked <= SOON)
    assert found.get("acr") in {None, "gold"}


def _checked(token: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"issuer": ISSUER, "client_id": CLIENT, "nonce": NONCE, "access_token": "a", "now": SOON}
    return id_tokens.checked_claims(token, rsa_key(), **asked)


@effort(60)
@given(values_near([rsa_key().as_dict(private=False), curve_key().as_dict(private=False), []]) | VALUES)
def test_whatever_the_provider_calls_a_key_it_is_one_or_left_out(given_: Any) -> None:
    read = keys._read(given_)
    assert read is None or read.curve in {None, "P-256", "P-384", "P-521", "secp256k1"}


@effort(60)
@given(bytes_near([KEPT.encode()]), st.integers(-2, ATTEMPT_SECONDS + 2))
def test_an_attempt_to_log_in_whose_cookie_was_changed_is_none(content: bytes, later: int) -> None:
    for text in (content.decode("latin-1"), KEPT):
        found = ATTEMPTS.recognise(text, SOON + later)
        assert (found is not None) is (text == KEPT and -1 <= later <= ATTEMPT_SECONDS)
