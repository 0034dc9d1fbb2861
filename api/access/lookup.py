"""Whose credential it is, asked by the event loop: from memory if that is fresh, else in a thread."""

from anyio import to_thread
from starlette.types import Scope

from api.access.credentials import credential_of
from shared.accounts.identity import NOBODY_NEEDED, Identity
from shared.accounts.known import KnownCredentials
from shared.accounts.permissions import Permission
from shared.accounts.sight import ALL_SEEING, Sight
from shared.errors import NotAuthenticated, PlatformError


async def identity_of(known: KnownCredentials, credential: str) -> Identity:
    """Whose credential it is. If the database has to be asked, a thread does it.

    Raises:
        NotAuthenticated: when it is nobody's.
        DatabaseFailure: when that is not known, and the database is away.
    """
    recalled = known.recall(credential)
    if recalled is None or recalled.due:
        return await to_thread.run_sync(known.look_up, credential)
    return recalled.identity


async def identity_by_now(scope: Scope) -> Identity:
    """Who the sender of a request is now, which the gate let in a while ago, with the rights that they have now.

    A credential that has expired since then still counts; one that was revoked does not.

    Raises:
        NotAuthenticated: when the credential is nobody's any more, or one is needed by now.
        DatabaseFailure: when that is not known, and the database is away.
    """
    known: KnownCredentials = scope["app"].state.parts.access.known
    if not await is_on(known):
        return NOBODY_NEEDED
    credential = credential_of(scope["headers"], secure=scope["scheme"] == "https")
    if credential is None:
        raise NotAuthenticated
    try:
        return await identity_of(known, credential.text)
    except NotAuthenticated:
        seconds = known.clock() - scope["let_in_at"]
        return await to_thread.run_sync(known.look_back, credential.text, seconds)


async def is_on(known: KnownCredentials) -> bool:
    """Whether anybody has to say who they are.

    Raises:
        DatabaseFailure: when that is not known, and the database is away.
    """
    found = known.recall_on()
    return await to_thread.run_sync(known.is_on) if found is None else found


async def sight_now(scope: Scope, permission: Permission) -> Sight | None:
    """What the sender of a request that is being answered sees now; None where they could not send it any more."""
    known: KnownCredentials = scope["app"].state.parts.access.known
    credential = credential_of(scope["headers"], secure=scope["scheme"] == "https")
    try:
        if not await is_on(known):
            return ALL_SEEING
        identity = None if credential is None else await identity_of(known, credential.text)
    except PlatformError:
        return None
    return identity.sight if identity is not None and permission in identity.permissions else None
