"""The gate that every request passes: who sends it, and whether they may."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.callers import NOBODY, not_allowed
from api.access.credentials import Credential, credential_of, page_token_of
from api.access.lookup import identity_by_now, identity_of, is_on
from api.access.rates import RateLimits, RequestAllowance
from api.access.refusals import refusal_of
from api.access.rules import Budget, Demand, Need, RouteDemands, Rule, demand_of, demands_of_routes
from api.access.sign_in import is_token_of, with_return
from api.http.errors import MissingPageToken
from api.http.middleware import client_of
from api.http.problems import answer_of
from api.pages.frame import prefers_page
from shared.accounts.identity import NOBODY_NEEDED, Identity
from shared.accounts.known import KnownCredentials
from shared.accounts.sight import seeing
from shared.errors import NotAllowed, NotAuthenticated, PlatformError

_SAFE = {"GET", "HEAD", "OPTIONS"}
# Browsers send the second one by themselves, with requests of pages that bring a token or a key, too.
_OF_BROWSERS = {b"cookie", b"sec-fetch-mode"}


class Gate:
    """Lets a request through if its sender may do what it asks for, and notes in the scope who the sender is.

    It decides before the body is read, and looks at the sender again when the body is complete, which may take long.
    While there are no accounts, every request passes. The application behind it runs with the sight of the sender, and
    so sees what they may see.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._routes: list[RouteDemands] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            refusal = await self._refusal(scope)
        except NotAllowed as error:
            refusal = await refusal_of(scope, error)
        except PlatformError as error:
            refusal = answer_of(Request(scope), error)
        identity: Identity = scope["identity"]
        answer = send if identity is NOBODY_NEEDED or identity is NOBODY else _kept_private(scope, send)
        allowance: RequestAllowance | None = scope.get("allowance")
        answer = answer if allowance is None else allowance.told_by(answer)
        checked = receive if identity is NOBODY or scope["method"] in _SAFE else _checked_at_the_end(scope, receive)
        with seeing(identity.sight):
            await (self._app if refusal is None else refusal)(scope, checked, answer)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; None for one that may. The scope then has its `identity`.

        Raises:
            NotAllowed: when the sender is known and may not do this.
            RateLimited: when the sender has sent too many requests.
            PlatformError: for any other reason.
        """
        known: KnownCredentials = scope["app"].state.parts.access.known
        scope["let_in_at"] = known.clock()
        # While there are no accounts, memory knows that, and nothing else matters.
        if known.recall_on() is False:
            scope["identity"] = NOBODY_NEEDED
            return None
        demand, credential = self._demand(scope), credential_of(scope["headers"], secure=scope["scheme"] == "https")
        scope["identity"] = NOBODY
        try:
            scope["identity"] = await _identity(known, credential)
        except PlatformError as error:
            return await _without_identity(scope, demand, credential, error)
        if scope["identity"] is NOBODY_NEEDED:
            return None
        await _count(scope, demand.budget)
        if credential is None:
            return None if demand.rule is Need.NOTHING else _sign_in(scope)
        _check(scope, demand.rule, scope["identity"], credential)
        return None

    def _demand(self, scope: Scope) -> Demand:
        if self._routes is None:
            self._routes = demands_of_routes(scope["app"])
        return demand_of(scope, self._routes)


async def _identity(known: KnownCredentials, credential: Credential | None) -> Identity:
    """Whose credential it is; `NOBODY` without one, and `NOBODY_NEEDED` while there are no accounts.

    Raises:
        NotAuthenticated: when the credential is nobody's.
        DatabaseFailure: when the database is needed to know, and does not answer.
    """
    if not await is_on(known):
        return NOBODY_NEEDED
    return NOBODY if credential is None else await identity_of(known, credential.text)


async def _without_identity(
    scope: Scope, demand: Demand, credential: Credential | None, error: PlatformError
) -> Response | None:
    """As `_refusal`, for a request whose sender could not be found out because of an error.

    Raises:
        RateLimited: when too many came from the address with credentials that are nobody's.
        PlatformError: the error, unless the address is open to everybody, or a browser is asked to log in.
    """
    is_nobodys = isinstance(error, NotAuthenticated)
    if is_nobodys:
        await _count(scope, demand.budget)
    if demand.rule is Need.NOTHING:
        return None
    if is_nobodys and credential is not None and credential.by_browser:
        return _sign_in(scope)
    raise error


async def _count(scope: Scope, budget: Budget) -> None:
    """Count a request against the limit of its user, or of its address if the user is not known.

    What is left of the limit goes into the scope, for the headers of the answer.

    Raises:
        RateLimited: when there were too many.
    """
    identity: Identity = scope["identity"]
    user = None if identity is NOBODY else identity.name
    limits: RateLimits = scope["app"].state.parts.limits
    allowance = await limits.take(budget, user=user, address=client_of(scope))
    if allowance is not None:
        scope["allowance"] = allowance
        allowance.check()


def _checked_at_the_end(scope: Scope, receive: Receive) -> Receive:
    """Look at the sender again when the body is complete: a request is refused whose sender has other rights by then.

    Raises:
        NotAllowed: when receiving the end of the body, if the role, the scopes or the teams have changed.
    """

    async def receive_and_check() -> Message:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            identity: Identity = scope["identity"]
            if await identity_by_now(scope) != identity:
                changed = "had their rights or teams changed while the request was under way, so that it was not done"
                raise NotAllowed(f"'{identity.name}' {changed}. Send it again if it is still meant. {NotAllowed.hint}")
        return message

    return receive_and_check


def _kept_private(scope: Scope, send: Send) -> Send:
    """Keep answers to a known sender out of all caches, in browsers and on the way.

    Programs may cache a file if they revalidate it by its ETag. Answers that are the same for everybody are `public`
    already, and stay so.
    """
    by_browser = any(name in _OF_BROWSERS for name, _ in scope["headers"])

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not headers.get("Cache-Control", "").startswith("public"):
                is_kept = "ETag" in headers and not by_browser
                headers["Cache-Control"] = "private, no-cache" if is_kept else "no-store"
        await send(message)

    return send_private


def _check(scope: Scope, rule: Rule, identity: Identity, credential: Credential) -> None:
    """Check that an identity may pass by a rule, and that a browser sends the request for a page of ours.

    Raises:
        NotAllowed: when it has none of the permissions.
        MissingPageToken: when a browser changes something without the token of its login.
    """
    if not isinstance(rule, Need) and rule.isdisjoint(identity.permissions):
        raise not_allowed(identity, f"{scope['method']} {scope['path']}")
    if rule is not Need.NOTHING and credential.by_browser and scope["method"] not in _SAFE:
        key, session_id = scope["app"].state.parts.key, identity.session_id or ""
        if not is_token_of(key, session_id, page_token_of(scope["headers"])):
            raise MissingPageToken


def _sign_in(scope: Scope) -> Response:
    """Ask the sender to log in: a browser that opens an address is taken to the login page, others get a 401."""
    request = Request(scope)
    if scope["method"] == "GET" and "error_form" not in scope and prefers_page(request):
        return RedirectResponse(with_return(scope), status_code=303, headers={"Cache-Control": "no-store"})
    said = f"Only those who log in, or send an API key, may use this address. {NotAuthenticated.hint}"
    return answer_of(request, NotAuthenticated(said))
