"""Who a browser thinks it speaks to: the names that the platform answers to."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import UnknownHost, problem
from shared.errors import PlatformError
from shared.hosts import name_of

_MEND = "Use 127.0.0.1 or localhost, or add the name to MLMINI_ALLOWED_HOSTS."


class Origins:
    """Refuses requests to names that are not the platform's own."""

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
        return None


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
