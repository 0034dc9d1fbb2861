"""What browsers may ask for: by which host names, and on behalf of which pages."""

from collections.abc import Collection, Container, Iterator

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import ForeignOrigin, UnknownHost
from api.http.problems import problem
from shared.errors import PlatformError
from shared.hosts import name_of

# The methods that change nothing (RFC 9110, section 9.2.1).
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
# The request comes from a page of the same origin, or from the person at the browser.
_OWN_SITES = {"same-origin", "none"}

# The headers that pages of other origins need to send and to read, beyond those that browsers always allow.
_SENT = (
    *("Authorization", "X-API-Key"),
    *("Content-Type", "Idempotency-Key", "If-None-Match", "Inference-Header-Content-Length", "Last-Event-ID", "Range"),
    "X-Request-ID",
)
_READ = (
    *("Content-Disposition", "ETag", "Location", "Retry-After", "X-Model-Target", "X-Model-Version", "X-Request-ID"),
    *("RateLimit", "RateLimit-Policy", "X-Row-Count", "X-Warnings", "Inference-Header-Content-Length"),
)
_METHODS = ("GET", "POST", "PATCH", "DELETE")

_HINT = "Use 127.0.0.1 or localhost, or add the name to MLMINI_ALLOWED_HOSTS."


def origin_checks(*, names: Container[str | None], trusted: Collection[str]) -> Iterator[Middleware]:
    """The check of each request, and CORS for pages of the trusted origins, which cannot use cookies."""
    yield Middleware(Origins, names=names, trusted=trusted)
    if trusted:
        yield Middleware(
            CORSMiddleware,
            allow_origins=list(trusted),
            allow_methods=_METHODS,
            allow_headers=_SENT,
            expose_headers=_READ,
        )


class Origins:
    """Refuses requests to host names that are not the platform's own, and changes that pages of other origins ask for.

    Browsers send such requests, although the page may not read the answer. They are recognised by the headers Origin
    and Sec-Fetch-Site, which programs do not send.
    """

    def __init__(self, app: ASGIApp, *, names: Container[str | None], trusted: Collection[str]) -> None:
        """`names` are the hosts that are answered, without ports; pages of `trusted` origins may ask for changes."""
        self._app = app
        self._names = names
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        found = self._problem_of(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
        else:
            await problem(found, scope["request_id"])(scope, receive, send)

    def _problem_of(self, scope: Scope) -> PlatformError | None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1:
            said = "names more than one host" if hosts else "has no header Host"
            return UnknownHost(f"The request {said}. Send one. {_HINT}")
        if name_of(hosts[0]) not in self._names:
            return UnknownHost(f"This server does not answer to the name '{hosts[0]}'. {_HINT}")
        if scope["method"] not in _SAFE and _is_foreign(scope, hosts[0]) and not self._is_trusted(scope):
            return _foreign(scope)
        return None

    def _is_trusted(self, scope: Scope) -> bool:
        origins = _values(scope, b"origin")
        return len(origins) == 1 and origins[0] in self._trusted


def _foreign(scope: Scope) -> ForeignOrigin:
    origin = ", ".join(_values(scope, b"origin"))
    page = f"'{origin}'" if origin else "another site"
    return ForeignOrigin(
        f"A page of {page} asked for a {scope['method']}, and it was refused. Open the page from this server itself, "
        "or, if you trust it, name its origin in MLMINI_CORS_ORIGINS.",
        setting="MLMINI_CORS_ORIGINS",
    )


def _is_foreign(scope: Scope, host: str) -> bool:
    """Whether the request comes from a page that was not loaded from this very host and port."""
    origins = _values(scope, b"origin")
    return not (
        # The scheme may differ: where a proxy ends TLS, the page has https.
        all(origin.partition("://")[2].lower() == host.lower() for origin in origins)
        and _OWN_SITES.issuperset(_values(scope, b"sec-fetch-site"))
    )


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
