"""The gate of a server of one model, for the keys that it may ask for."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import answer_of
from api.standalone.keys import ServeKeys
from shared.errors import NotAuthenticated

# Whoever starts the server has to see that it is there, and those who are refused may look up what an error means.
OPEN = frozenset({"/ping", "/health", "/v2/health/live", "/v2/health/ready", "/errors"})
_OPEN_BELOW = "/errors/"
_LOOKS = {"GET", "HEAD"}


class KeyGate:
    """Lets requests with a key through, and those that only ask whether the server is there.

    It decides before the body is read, and before anybody learns whether the address exists.
    """

    def __init__(self, app: ASGIApp, *, keys: ServeKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        answer = self._app
        if scope["type"] == "http" and not _is_open(scope):
            try:
                self._keys.check(scope["headers"])
            except NotAuthenticated as error:
                answer = answer_of(Request(scope), error)
        await answer(scope, receive, send)


def _is_open(scope: Scope) -> bool:
    return scope["method"] in _LOOKS and (scope["path"] in OPEN or scope["path"].startswith(_OPEN_BELOW))
