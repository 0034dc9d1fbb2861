"""What the provider says of itself (OpenID Connect Discovery 1.0): no address of it is guessed."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from shared.accounts.oidc.asking import asked, expect_private, unavailable
from shared.errors import IdentityProviderUnavailable
from shared.logging import get_logger

log = get_logger(__name__)

# After how long it is asked anew, how long what it said counts at most, and how long it is not asked again after it has
# not answered.
_FRESH_SECONDS = 3600
_LONGEST_SECONDS = 7200
_PAUSE_SECONDS = 2


@dataclass(frozen=True)
class ProviderMetadata:
    """The addresses of a provider, and how it is asked."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    # Whether the secret is sent in the form, because the provider takes it only there.
    secret_in_form: bool
    # Whether it says with each answer who it is (RFC 9207).
    names_itself: bool


async def discover(issuer: str) -> ProviderMetadata:
    """Ask the provider for its addresses.

    Raises:
        IdentityProviderUnavailable: when it does not answer, or is another issuer than that of the settings.
    """
    status, told = await asked(f"{issuer.removesuffix('/')}/.well-known/openid-configuration")
    if status != 200:
        raise unavailable(f"The identity provider answers its discovery with status {status}.")
    if told.get("issuer") != issuer:
        raise unavailable(
            "The identity provider names another issuer than MLMINI_OIDC_ISSUER; both have to be the same letter by "
            "letter, a slash at the end included."
        )
    private = partial(expect_private, issuer=issuer)
    userinfo = told.get("userinfo_endpoint")
    ways = told.get("token_endpoint_auth_methods_supported")
    return ProviderMetadata(
        authorization_endpoint=private(told.get("authorization_endpoint"), called="authorization endpoint"),
        token_endpoint=private(told.get("token_endpoint"), called="token endpoint"),
        jwks_uri=private(told.get("jwks_uri"), called="address of its keys"),
        userinfo_endpoint=None if userinfo is None else private(userinfo, called="userinfo endpoint"),
        secret_in_form=isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways,
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )


class KnownMetadata:
    """What the provider has said of late. Belongs to one event loop."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: ProviderMetadata | None = None
        self._failure = ""
        self._told_at = self._tried_at = -math.inf

    async def get(self) -> ProviderMetadata:
        """What it said, asked for if that was long ago. Of several who wait, one asks. While it does not answer, what
        it said before goes on to count, as its keys do: a login on its way needs no more.

        Raises:
            IdentityProviderUnavailable: when it does not answer, or has not a moment ago.
        """
        async with self._lock:
            age = self._clock() - self._told_at
            if age >= _FRESH_SECONDS and self._clock() - self._tried_at >= _PAUSE_SECONDS:
                await self._ask()
            if self._known is not None and self._clock() - self._told_at < _LONGEST_SECONDS:
                return self._known
            raise unavailable(self._failure)

    async def _ask(self) -> None:
        try:
            self._known = await discover(self._issuer)
            self._told_at = self._clock()
        except IdentityProviderUnavailable as error:
            self._failure = error.detail.removesuffix(error.hint).strip()
            self._tried_at = self._clock()
            log.warning("provider_not_described", error=self._failure)
