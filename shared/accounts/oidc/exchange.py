"""What the provider is asked in one login: from a code to claims that are true."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from shared.accounts.oidc.asking import ProviderAnswer, asked
from shared.accounts.oidc.attempts import LoginAttempt
from shared.accounts.oidc.discovery import KnownMetadata, ProviderMetadata, discover
from shared.accounts.oidc.id_tokens import checked_claims, header_of, refused
from shared.accounts.oidc.keys import KnownKeys
from shared.accounts.oidc.provider import Arrival, Provider
from shared.accounts.oidc.strength import asked_at, expect_fresh, expect_strong

_LONGEST_TOKEN = 64 * 2**10
_LONGEST_NAME = 64
_MOST_GROUPS = 5000


class ProviderExchange:
    """Speaks with one provider. Belongs to one event loop."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._metadata = KnownMetadata(provider.issuer)
        self._keys = KnownKeys()

    async def address(self, attempt: LoginAttempt) -> str:
        """Where a browser begins a login.

        Raises:
            IdentityProviderUnavailable: when the provider does not answer.
        """
        endpoint = (await self._metadata.get()).authorization_endpoint
        asks = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": self._provider.redirect_uri,
            "scope": self._provider.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        if self._provider.acr:
            asks["acr_values"] = " ".join(self._provider.acr)
        if attempt.fresh:
            # The first also has the provider say when it has asked; some heed the second alone.
            asks |= {"max_age": "0", "prompt": "login"}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asks)}"

    async def arrival(self, attempt: LoginAttempt, told: Mapping[str, str], *, now: float) -> Arrival:
        """Who has come back, as the query `told` of a callback with the right state leads to.

        Raises:
            LoginRefused: saying what the provider or its answer lacks.
            IdentityProviderUnavailable: when it does not answer.
        """
        metadata = await self._metadata.get()
        if told.get("iss", None if metadata.names_itself else self._provider.issuer) != self._provider.issuer:
            raise refused("The answer is of another identity provider.")
        if "error" in told:
            raise refused(f"The identity provider says: {_plain(told['error'], told.get('error_description'))}.")
        if not told.get("code"):
            raise refused("The identity provider sends no code.")
        tokens = await self._tokens(metadata, attempt, told["code"])
        claims, access_token = await self._told(metadata, attempt, tokens, now=now)
        expect_strong(claims, self._provider.acr)
        asked_last = asked_at(claims, now=now)
        if attempt.fresh:
            expect_fresh(asked_last, since=attempt.began_at)
        return self._arrival(await self._completed(metadata, claims, access_token), asked_last)

    async def _told(
        self, metadata: ProviderMetadata, attempt: LoginAttempt, tokens: Mapping[str, Any], *, now: float
    ) -> tuple[dict[str, Any], str | None]:
        """The claims of the ID token, and the access token that came with it."""
        token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
            raise refused("The identity provider gives no ID token.")
        access_token = access_token if isinstance(access_token, str) else None
        kid, algorithm = header_of(token)
        key = await self._keys.find(metadata.jwks_uri, kid, algorithm)
        claims = checked_claims(
            token,
            key,
            issuer=self._provider.issuer,
            client_id=self._provider.client_id,
            nonce=attempt.nonce,
            access_token=access_token,
            now=now,
        )
        return claims, access_token

    async def _tokens(self, metadata: ProviderMetadata, attempt: LoginAttempt, code: str) -> dict[str, Any]:
        provider = self._provider
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.redirect_uri,
            "client_id": provider.client_id,
            "code_verifier": attempt.verifier,
        }
        login = None
        if provider.secret is not None and metadata.secret_in_form:
            form["client_secret"] = provider.secret
        elif provider.secret is not None:
            # RFC 6749, section 2.3.1, has both encoded as in a form before they are encoded for the header.
            login = (quote(provider.client_id, safe=""), quote(provider.secret, safe=""))
        status, told = await asked(metadata.token_endpoint, form=form, login=login)
        if status != 200:
            said = _plain(str(told.get("error", "nothing")), None)
            raise refused(f"The identity provider does not take the code that it gave: it says {said}.")
        return told

    async def _completed(
        self, metadata: ProviderMetadata, claims: dict[str, Any], access_token: str | None
    ) -> dict[str, Any]:
        """The claims with those beside them that the provider tells only if it is asked (section 5.3)."""
        wanted = [self._provider.name_claim, *([self._provider.groups_claim] if self._provider.roles else [])]
        if all(name in claims for name in wanted) or metadata.userinfo_endpoint is None or access_token is None:
            return claims
        answer: ProviderAnswer = await asked(metadata.userinfo_endpoint, token=access_token)
        if answer.status != 200 or answer.document.get("sub") != claims["sub"]:
            raise refused("The identity provider does not tell of whom the ID token is.")
        return answer.document | claims

    def _arrival(self, claims: dict[str, Any], asked_last: int | None) -> Arrival:
        provider = self._provider
        name, groups = claims.get(provider.name_claim), claims.get(provider.groups_claim, [])
        # Anybody can enter an address of somebody else.
        is_own = provider.name_claim != "email" or claims.get("email_verified") is True
        groups = [groups] if isinstance(groups, str) else groups
        if not isinstance(groups, list) or len(groups) > _MOST_GROUPS:
            raise refused("The identity provider gives the groups in a form that is not known.")
        return Arrival(
            issuer=provider.issuer,
            subject=claims["sub"],
            name=name if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and is_own else None,
            groups=frozenset(group for group in groups if isinstance(group, str)),
            asked_at=asked_last,
        )


def _plain(code: str, description: str | None) -> str:
    """What a provider says is wrong, for a page; it is escaped there, as everything is."""
    told = code if description is None else f"{code} ({description})"
    return "".join(each if each.isprintable() else " " for each in told[:200]).rstrip(".")


def check_provider(provider: Provider) -> None:
    """See that the provider answers, where no event loop runs.

    Raises:
        IdentityProviderUnavailable: when it does not, or is another one.
    """
    asyncio.run(discover(provider.issuer))
