"""The keys with which the provider signs. A new one is looked for when a token names it, though not at every token."""

import asyncio
import base64
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from shared.accounts.oidc.asking import asked, unavailable
from shared.errors import IdentityProviderUnavailable, LoginRefused
from shared.logging import get_logger

log = get_logger(__name__)

# Signatures that only the provider can make. With HS256, its public key could be taken for the secret of one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

# After how long keys are asked for anew, and how long they count at most, so that one that was taken back does not for
# ever; how seldom an unknown one is looked for, and how long nobody asks after the provider has not answered.
_FRESH_SECONDS = 3600
_LONGEST_SECONDS = 7200
_PAUSE_SECONDS = 30
_FAILED_SECONDS = 2
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
        self._keys: list[SigningKey] = []
        self._told_at = self._tried_at = -math.inf
        self._failure: IdentityProviderUnavailable | None = None
        self._asking: asyncio.Task[None] | None = None

    async def find(self, address: str, kid: str | None, algorithm: str) -> RSAKey | ECKey:
        """The key that a token names. Only where it is not among those that are known, or these are too old, it waits
        for the provider; keys that are not fresh are asked for meanwhile.

        Raises:
            LoginRefused: when there is no such key, or a token names none and several may be meant.
            IdentityProviderUnavailable: when the provider does not tell its keys, or has not a moment ago.
        """
        age = self._clock() - self._told_at
        asking = self._begin(address) if age >= _FRESH_SECONDS or not self._fitting(kid, algorithm) else None
        if age >= _LONGEST_SECONDS or not self._fitting(kid, algorithm):
            if asking is not None:
                # Whoever leaves does not end it for the others.
                await asyncio.shield(asking)
            elif self._failure is not None:
                raise unavailable(self._failure.detail.removesuffix(self._failure.hint).strip())
        found = self._fitting(kid, algorithm)
        if len(found) != 1:
            raise LoginRefused(f"The token of the identity provider is signed with an unknown key. {LoginRefused.hint}")
        return found[0].key

    def _begin(self, address: str) -> "asyncio.Task[None] | None":
        """Ask for the keys, unless somebody does; None shortly after somebody has."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        pause = _PAUSE_SECONDS if self._failure is None else _FAILED_SECONDS
        if self._clock() - self._tried_at < pause:
            return None
        self._asking = asyncio.create_task(self._ask(address))
        self._asking.add_done_callback(_look_at)
        return self._asking

    def _fitting(self, kid: str | None, algorithm: str) -> list[SigningKey]:
        return [each for each in self._keys if each.fits(kid, algorithm)]

    async def _ask(self, address: str) -> None:
        try:
            status, told = await asked(address)
            keys = told.get("keys")
            if status != 200 or not isinstance(keys, list) or len(keys) > _MOST_KEYS:
                raise unavailable("The identity provider does not tell its keys.")
        except IdentityProviderUnavailable as error:
            self._failure = error
            raise
        else:
            self._keys, self._failure = [key for key in map(_read, keys) if key is not None], None
            self._told_at = self._clock()
        finally:
            self._tried_at = self._clock()


def _look_at(asking: "asyncio.Task[None]") -> None:
    # Nobody may wait for it.
    if not asking.cancelled() and (error := asking.exception()) is not None:
        log.warning("provider_keys_not_told", error=str(error))


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
    number = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
    return int.from_bytes(number).bit_length()
