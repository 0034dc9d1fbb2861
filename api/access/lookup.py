"""Credentials as the event loop asks for them: from memory where that is fresh, else in a thread."""

import asyncio
from contextlib import suppress

from anyio import to_thread
from starlette.types import Scope

from api.access.credentials import Headers, credential_of
from shared.accounts.identity import Identity
from shared.accounts.known import KnownCredentials
from shared.accounts.permissions import Permission
from shared.errors import NotAuthenticated, PlatformError


async def identity_of(known: KnownCredentials, credential: str) -> Identity:
    """Whose credential it is. The database is asked in a thread, where it has to be.

    Raises:
        NotAuthenticated: when it is nobody's.
        DatabaseFailure: when that is not known, and the database is away.
    """
    recalled = known.recall(credential)
    if recalled is None or recalled.due:
        return await to_thread.run_sync(known.look_up, credential)
    return recalled.identity


async def is_on(known: KnownCredentials) -> bool:
    """Whether anybody has to say who they are.

    Raises:
        DatabaseFailure: when that is not known, and the database is away.
    """
    found = known.recall_on()
    return await to_thread.run_sync(known.is_on) if found is None else found


async def still_may(scope: Scope, permission: Permission) -> bool:
    """Whether the sender of a request that is being answered could send it now, too."""
    known: KnownCredentials = scope["app"].state.parts.access.known
    credential = credential_of(scope["headers"])
    try:
        if not await is_on(known):
            return True
        return credential is not None and permission in (await identity_of(known, credential.text)).permissions
    except PlatformError:
        return False


def may_predict(known: KnownCredentials, headers: Headers) -> bool:
    """Whether a request may ask for predictions, from memory alone. What is not known, the gate finds out."""
    needed = known.recall_on()
    if not needed:
        return needed is False
    credential = credential_of(headers)
    # A browser has to bring more than a cookie.
    if credential is None or credential.by_browser:
        return False
    try:
        recalled = known.recall(credential.text)
    except NotAuthenticated:
        return False
    if recalled is None:
        return False
    if recalled.due:
        # Beside the prediction: the answer counts for a while, and the others need not wait for the next one.
        asyncio.get_running_loop().run_in_executor(None, _look_up, known, credential.text)
    return Permission.PREDICT in recalled.identity.permissions


def _look_up(known: KnownCredentials, credential: str) -> None:
    # What was found is remembered, and told to whoever asks next.
    with suppress(PlatformError):
        known.look_up(credential)
