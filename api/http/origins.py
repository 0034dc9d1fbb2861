"""What a browser may ask for: under which names, and on behalf of which pages."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import ForeignOrigin, UnknownHost, problem
from shared.errors import PlatformError
from shared.hosts import name_of

# The methods that change nothing (RFC 9110, section 9.2.1).
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
# A page of the same origin, or the person at the browser.
_OWN_SITES = {"same-origin", "none"}

_MEND = "Use 127.0.0.1 or localhost, or add the name to MLMINI_ALLOWED_HOSTS."


class Origins:
    """Refuses requests to names that are not the platform's own, and changes that pages of other origins ask for.

    Browsers send such requests though the page may not read the answer. Programs send neither of the two headers that
    tell them apart.
    """

    def __init__(self, app: ASGIApp, *, names: frozenset[str]) -> None:
        """`names` are those that are answered, without ports."""
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await problem(refusal, scope["request_id"])(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlatformError | None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1:
            said = "names more than one host" if hosts else "has no header Host"
            return UnknownHost(f"The request {said}. Send one. {_MEND}")
        if name_of(hosts[0]) not in self._names:
            return UnknownHost(f"This server does not answer to the name '{hosts[0]}'. {_MEND}")
        if scope["method"] not in _SAFE and _is_foreign(scope, hosts[0]):
            return ForeignOrigin()
        return None


def _is_foreign(scope: Scope, host: str) -> bool:
    """Whether a page asks that was not loaded from this very host and port."""
    origins = _values(scope, b"origin")
    return not (
        # The scheme may differ: where a proxy ends TLS, the page has https.
        all(origin.partition("://")[2].lower() == host.lower() for origin in origins)
        and _OWN_SITES.issuperset(_values(scope, b"sec-fetch-site"))
    )


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
