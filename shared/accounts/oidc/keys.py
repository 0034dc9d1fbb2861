"""The keys with which the provider signs. A new one is looked for when a token names it, though not at every token."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from shared.accounts.oidc.asking import asked, unavailable
from shared.errors import LoginRefused

# Signatures that only the provider can make. With HS256, its public key could be taken for the secret of one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

# How long keys count, so that one that was taken back does not for ever, and how seldom an unknown one is looked for.
_FRESH_SECONDS = 3600
_PAUSE_SECONDS = 30
_MOST_KEYS = 100
_SHORTEST_RSA_BITS = 2048
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True)
class SigningKey:
    """A public key, and what its owner says of it."""

    key: RSAKey | ECKey
    kid: str | None
    algorithm: str | None
    # P-256 and the like; None for RSA.
    curve: str | None

    def fits(self, kid: str | None, algorithm: str) -> bool:
        """Whether it may have signed a token that says so; one without a `kid` may be of any."""
        same_kid = kid is None or self.kid == kid
        return same_kid and self.algorithm in {None, algorithm} and self.curve == _CURVES.get(algorithm)


class KnownKeys:
    """The keys of late. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: list[SigningKey] = []
        self._asked_at = -math.inf

    async def find(self, address: str, kid: str | None, algorithm: str) -> RSAKey | ECKey:
        """The key that a token names; keys are asked for anew where it is not among those that are known.

        Raises:
            LoginRefused: when there is no such key, or a token names none and several may be meant.
            IdentityProviderUnavailable: when the provider does not tell its keys.
        """
        async with self._lock:
            age = self._clock() - self._asked_at
            if age >= (_PAUSE_SECONDS if not self._fitting(kid, algorithm) else _FRESH_SECONDS):
                await self._ask(address)
            found = self._fitting(kid, algorithm)
        if len(found) != 1:
            raise LoginRefused(f"The token of the identity provider is signed with an unknown key. {LoginRefused.hint}")
        return found[0].key

    def _fitting(self, kid: str | None, algorithm: str) -> list[SigningKey]:
        return [each for each in self._keys if each.fits(kid, algorithm)]

    async def _ask(self, address: str) -> None:
        status, told = await asked(address)
        keys = told.get("keys")
        if status != 200 or not isinstance(keys, list) or len(keys) > _MOST_KEYS:
            raise unavailable("The identity provider does not tell its keys.")
        self._keys, self._asked_at = [key for key in map(_read, keys) if key is not None], self._clock()


def _read(given: Any) -> SigningKey | None:
    """A key for signatures; None for all others, which are not of use here."""
    if not isinstance(given, dict) or given.get("use", "sig") != "sig":
        return None
    kid, algorithm = given.get("kid"), given.get("alg")
    if not all(value is None or isinstance(value, str) for value in (kid, algorithm)):
        return None
    # Whatever else it has, only the public part is taken.
    names = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}.get(str(given.get("kty")), ())
    public = {name: given[name] for name in names if isinstance(given.get(name), str)}
    try:
        if given.get("kty") == "RSA" and _bits(public["n"]) >= _SHORTEST_RSA_BITS:
            return SigningKey(RSAKey.import_key(public), kid, algorithm, None)
        if given.get("kty") == "EC":
            return SigningKey(ECKey.import_key(public), kid, algorithm, public["crv"])
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return None


def _bits(modulus: str) -> int:
    # Six bits a character of base64.
    return len(modulus.rstrip("=")) * 6
