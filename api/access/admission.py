"""Who may ask for predictions, decided from memory alone: a lookup would cost as much as a prediction."""

import asyncio
from contextlib import suppress

from api.access.credentials import GivenHeaders, credential_of
from shared.accounts.known import KnownCredentials
from shared.accounts.memory import USABLE_SECONDS
from shared.accounts.permissions import Permission
from shared.accounts.sight import ALL_SEEING, Sight
from shared.errors import NotAuthenticated, PlatformError

_MOST_KEPT = 1000


class Admission:
    """Admits requests for predictions, for the event loop of one process. Those that it does not know go to the gate.

    A header that was found good a moment ago is remembered as it is, for as long as the answer about its credential is
    fresh. All headers are forgotten every second.
    """

    def __init__(self, known: KnownCredentials) -> None:
        self._known = known
        self._good: dict[tuple[bytes, bytes], tuple[float, Sight]] = {}
        self._forgotten = known.forgotten
        self._empty_at = 0.0

    def admits(self, given: GivenHeaders) -> Sight | None:
        """What the sender of these headers sees, if they may ask for predictions; None where memory does not tell."""
        needed = self._known.recall_on()
        if not needed:
            return ALL_SEEING if needed is False else None
        now, header = self._known.clock(), _credential_header(given)
        if now >= self._empty_at or self._forgotten != self._known.forgotten or len(self._good) >= _MOST_KEPT:
            self._good.clear()
            self._forgotten, self._empty_at = self._known.forgotten, now + USABLE_SECONDS
        good = None if header is None else self._good.get(header)
        if good is not None and now < good[0]:
            return good[1]
        return self._recall(given, header)

    def _recall(self, given: GivenHeaders, header: tuple[bytes, bytes] | None) -> Sight | None:
        credential = credential_of(tuple(given.items()))
        # A cookie alone is not enough: the gate also checks the token of the page.
        if credential is None or credential.by_browser:
            return None
        try:
            recalled = self._known.recall(credential.text)
        except NotAuthenticated:
            return None
        if recalled is None or Permission.PREDICT not in recalled.identity.permissions:
            return None
        if recalled.due:
            # In the background: the present answer still counts for a while, so nobody has to wait for the next one.
            asyncio.get_running_loop().run_in_executor(None, _look_up, self._known, credential.text)
        elif header is not None:
            self._good[header] = recalled.fresh_until, recalled.identity.sight
        return recalled.identity.sight


def _credential_header(given: GivenHeaders) -> tuple[bytes, bytes] | None:
    """The header with the credential; None where there is none, or more than one."""
    key, bearer = given.get(b"x-api-key"), given.get(b"authorization")
    if bearer is None:
        return None if key is None else (b"x-api-key", key)
    return (b"authorization", bearer) if key is None else None


def _look_up(known: KnownCredentials, credential: str) -> None:
    # The result is remembered for the next request.
    with suppress(PlatformError):
        known.look_up(credential)
