"""The ID token: whether it is from the provider, for this platform and of this login.

The checks are those of OpenID Connect Core 1.0, section 3.1.3.7.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from shared.accounts.oidc.keys import ALGORITHMS
from shared.errors import LoginRefused

# How far the clocks of the provider and of the database may be apart.
LEEWAY_SECONDS = 30

_LONGEST_SUBJECT = 255
_REQUIRED: Any = {name: {"essential": True} for name in ("iss", "sub", "aud", "exp", "iat", "nonce")}
# Headers that are not known are no reason to refuse a token; such that it calls critical are.
_SIGNATURES = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


def header_of(token: str) -> tuple[str | None, str]:
    """Which key a token names, and the algorithm; nothing of it is believed yet.

    Raises:
        LoginRefused: when it is no token, or has an algorithm that is not taken.
    """
    try:
        header = json.loads(_decoded(token.partition(".")[0]))
        kid, algorithm = header.get("kid"), header["alg"]
    except (ValueError, RecursionError, KeyError, AttributeError, TypeError):
        raise refused("The identity provider gives no ID token that can be read.") from None
    if algorithm not in ALGORITHMS:
        raise refused("The ID token is not signed in a way that is taken.")
    if kid is not None and not isinstance(kid, str):
        raise refused("The ID token is signed with an unknown key.")
    return kid, algorithm


def checked_claims(
    token: str,
    key: RSAKey | ECKey,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: float,
) -> dict[str, Any]:
    """The claims of a token, each of those checked that say whether it counts. `now` is of the database's clock.

    Raises:
        LoginRefused: saying which does not hold.
    """
    try:
        claims = jwt.decode(token, key, registry=_SIGNATURES).claims
    except (JoseError, ValueError, RecursionError):
        raise refused("The signature of the ID token is wrong.") from None
    try:
        JWTClaimsRegistry(now=int(now), leeway=LEEWAY_SECONDS, **_REQUIRED).validate(claims)
    except (JoseError, ValueError, OverflowError) as error:
        name = getattr(error, "claim", None) or "time"
        raise refused(f"The ID token has expired, is of the future or lacks a claim ({name}).") from None
    if claims["iss"] != issuer:
        raise refused("The ID token is of another issuer.")
    _check_audience(claims, client_id)
    if not (isinstance(claims["nonce"], str) and hmac.compare_digest(_bytes_of(claims["nonce"]), nonce.encode())):
        raise refused("The ID token is of another login.")
    # No database keeps all of what cannot be printed: half a character, or NUL.
    if not (0 < len(claims["sub"]) <= _LONGEST_SUBJECT and claims["sub"].isprintable()):
        raise refused("The ID token names nobody.")
    said = claims.get("at_hash")
    if said is not None and said != _half_hash(access_token or "", header_of(token)[1]):
        raise refused("The ID token belongs to another access token.")
    return claims


def refused(reason: str) -> LoginRefused:
    """The error with a reason, which never has the value of a claim in it."""
    return LoginRefused(f"{reason} {LoginRefused.hint}")


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    audiences = [claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"]
    if client_id not in audiences:
        raise refused("The ID token is for another client.")
    # Of several, one has asked for it.
    if claims.get("azp", client_id if len(audiences) == 1 else None) != client_id:
        raise refused("The ID token was given to another client.")


def _half_hash(access_token: str, algorithm: str) -> str:
    digest = hashlib.new(f"sha{algorithm[2:]}", _bytes_of(access_token)).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


def _bytes_of(text: str) -> bytes:
    # JSON can hold half a character, which has no bytes of its own.
    return text.encode(errors="surrogatepass")


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
