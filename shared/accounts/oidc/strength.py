"""How strong a login at the provider was, and when the person was asked: its claims `acr` and `auth_time`.

OpenID Connect Core 1.0, sections 2, 3.1.2.1 and 3.1.3.7. Both are taken from the ID token alone, which is signed.
"""

from collections.abc import Collection, Mapping
from typing import Any

from shared.accounts.oidc.id_tokens import LEEWAY_SECONDS, refused


def asked_at(claims: Mapping[str, Any], *, now: float) -> int | None:
    """When the provider asked the person who they are, in seconds since 1970 and no later than now; None where it does
    not tell.

    Raises:
        LoginRefused: when it tells something that is no such moment.
    """
    said = claims.get("auth_time")
    if said is None:
        return None
    # True is a whole number to Python.
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said <= now + LEEWAY_SECONDS:
        raise refused("The ID token has no moment of the past in the claim auth_time.")
    return min(said, int(now))


def expect_fresh(asked: int | None, *, since: float) -> None:
    """See that the provider asked the person anew after a login began that wants it to.

    Raises:
        LoginRefused: when it did not, or does not tell.
    """
    if asked is None:
        raise refused(
            "The identity provider was to ask you anew, and does not say whether it did: its ID token lacks the claim "
            "auth_time."
        )
    if asked < since - LEEWAY_SECONDS:
        raise refused("The identity provider was to ask you anew, and let you through without: see auth_time.")


def expect_strong(claims: Mapping[str, Any], accepted: Collection[str]) -> None:
    """See that a login was of one of the kinds that are accepted; where none are named, every kind is.

    Raises:
        LoginRefused: when it was not, or the provider does not tell.
    """
    if not accepted:
        return
    said = claims.get("acr")
    if said is None:
        raise refused(
            "The identity provider does not say how you have logged in, which MLMINI_OIDC_ACR asks for: its ID token "
            "lacks the claim acr."
        )
    if not isinstance(said, str) or said not in accepted:
        raise refused(
            "You have logged in at the identity provider in a way that is not accepted here, for example without a "
            "second factor: the claim acr is none of those in MLMINI_OIDC_ACR."
        )
