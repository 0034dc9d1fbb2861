"""Access tokens: what is taken for one, and what never is."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from shared.accounts.tokens import ACCESS_SECONDS, LEEWAY_SECONDS, AccessTokens, access_tokens_of
from shared.errors import NotAuthenticated
from shared.registry.sealing import ArtifactKey

SECRET = b"t" * 32
TOKENS = AccessTokens(SECRET)
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
START = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "mlmini",
    "aud": "mlmini api",
    "sub": "anna",
    "sid": "s",
    "epoch": 1,
    "jti": "j",
    "iat": START,
    "exp": START + ACCESS_SECONDS,
}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def signed(claims: object, *, secret: bytes = SECRET, header: dict[str, Any] | None = None) -> str:
    """A token whose signature is right, whatever its header and its claims are."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'} if header is None else header)}.{part(claims)}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(text.encode(), secret)
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def refused(token: str) -> None:
    with pytest.raises(NotAuthenticated) as answer:
        TOKENS.read(token)
    assert "token" in answer.value.detail


def test_a_token_says_who_logged_in_and_until_when() -> None:
    token = TOKENS.issue("anna", "session", 7, NOW)
    claims = TOKENS.read(token)
    assert claims == ("anna", "session", 7, START, START + 900)
    assert TOKENS.issue("anna", "session", 7, NOW) != token
    assert TOKENS.read(signed(CLAIMS)).user_name == "anna"


@pytest.mark.parametrize("seconds", [-LEEWAY_SECONDS, 0, ACCESS_SECONDS + LEEWAY_SECONDS - 1])
def test_a_token_is_valid_for_a_quarter_of_an_hour_and_a_little_around_it(seconds: int) -> None:
    TOKENS.read(signed(CLAIMS)).check_time(NOW + timedelta(seconds=seconds))


@pytest.mark.asvs("9.2.1")
@pytest.mark.parametrize("seconds", [-LEEWAY_SECONDS - 1, ACCESS_SECONDS + LEEWAY_SECONDS, 10**8])
def test_a_token_is_not_valid_before_and_after_that(seconds: int) -> None:
    with pytest.raises(NotAuthenticated, match=r"The token (has expired|is not valid yet)"):
        TOKENS.read(signed(CLAIMS)).check_time(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_token_without_a_claim_is_refused(claim: str) -> None:
    refused(signed({name: value for name, value in CLAIMS.items() if name != claim}))


@pytest.mark.asvs("9.2.3", "10.3.1")
@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another api"},
        {"aud": ["mlmini api", "another api"]},
        {"iss": "somebody"},
        {"sub": 7},
        {"sub": "an\0na"},
        {"sid": "s\0"},
        {"sid": None},
        {"epoch": "1"},
        {"epoch": True},
        {"exp": str(START)},
        {"exp": 1e300},
        {"iat": None},
        {"jti": 7},
        {"nbf": START + 10**9},
    ],
    ids=str,
)
def test_a_signed_token_with_a_claim_of_another_form_is_refused(changed: dict[str, Any]) -> None:
    refused(signed(CLAIMS | changed))


@pytest.mark.asvs("9.1.2", "9.1.3", "9.2.2")
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "HS512", "typ": "JWT"},
        {"alg": "RS256", "typ": "JWT"},
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "typ": "JWT", "kid": "../../dev/null"},
        {"alg": "HS256", "typ": "JWT", "jku": "http://example.org/keys"},
        {},
    ],
    ids=str,
)
def test_a_header_that_is_not_ours_is_refused_though_the_signature_is_right(header: dict[str, Any]) -> None:
    refused(signed(CLAIMS, header=header))


@pytest.mark.asvs("9.1.1")
def test_a_token_that_another_key_signed_is_refused() -> None:
    refused(signed(CLAIMS, secret=b""))
    refused(signed(CLAIMS, secret=b"x" * 32))
    refused(access_tokens_of(ArtifactKey(SECRET)).issue("anna", "s", 1, NOW))


@pytest.mark.asvs("9.1.1", "9.1.2")
def test_what_is_no_token_at_all_is_refused() -> None:
    token = signed(CLAIMS)
    header, claims, signature = token.split(".")
    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}."
    deep = base64.urlsafe_b64encode(b"[" * 2500).decode()
    for text in (
        *("", ".", "..", "a.b.c", "Bearer", token[:-1], token + "A", f"{token}.{signature}", f" {token}", f"{token}\n"),
        *(unsigned, f"{header}.{claims}.", f"{header}..{signature}", f"{claims}.{header}.{signature}"),
        *(f"{header}.{deep}.{signature}", f"{deep}.{claims}.{signature}", token.replace("A", "\uff21"), "\ud800" * 50),
        *(signed([CLAIMS]), signed("anna"), signed(None), signed(CLAIMS | {"more": "x" * 4096}), "x" * 10**6),
    ):
        refused(text)


@pytest.mark.asvs("9.2.4")
def test_keys_for_single_purposes_differ_and_tell_nothing() -> None:
    key = ArtifactKey(SECRET)
    assert access_tokens_of(key)._secret not in {SECRET, access_tokens_of(ArtifactKey(b"u" * 32))._secret}
    assert access_tokens_of(key)._secret == access_tokens_of(ArtifactKey(SECRET))._secret
    assert len(access_tokens_of(key)._secret) == 32
