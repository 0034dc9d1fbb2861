"""The gate that every request passes: who sends it, and whether they may."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.callers import NOBODY, not_allowed
from api.access.credentials import Credential, credential_of, page_token_of
from api.access.lookup import identity_by_now, identity_of, is_on
from api.access.parts import Access
from api.access.rates import RateLimits, RequestAllowance
from api.access.refusals import refusal_of
from api.access.rules import Budget, Demand, Known, Need, Rule, asked_by, known_addresses
from api.access.sign_in import is_token_of, with_return
from api.http.errors import MissingPageToken
from api.http.middleware import client_of
from api.http.problems import answer_of
from api.pages.frame import prefers_page
from shared.accounts.identity import NOBODY_NEEDED, Identity
from shared.accounts.sight import seeing
from shared.errors import NotAllowed, NotAuthenticated, PlatformError

_SAFE = {"GET", "HEAD", "OPTIONS"}
# A browser sends the second one by itself, also for pages that bring a token or a key.
_OF_BROWSERS = {b"cookie", b"sec-fetch-mode"}


class Gate:
    """Lets requests through whose senders may do what they ask for, and notes in the scope who they are.

    It does so before the body is read: nobody has to be heard out to be refused. Once it is there, whoever sends it has
    to be allowed to still, as they can take their time with it. While there are no accounts, everybody passes. What
    lies behind it looks with the eyes of whoever sends the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._addresses: list[Known] | None = None

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
        heard = receive if identity is NOBODY or scope["method"] in _SAFE else _heard_out(scope, receive)
        with seeing(identity.sight):
            await (self._app if refusal is None else refusal)(scope, heard, answer)

    async def _refusal(self, scope: Scope) -> Response | None:
        """Why a request does not pass; None where it does, and the scope has its `identity`.

        Raises:
            NotAllowed: when its sender is known and may not.
            RateLimited: when its sender has sent too many.
            PlatformError: whatever else it is refused for.
        """
        access: Access = scope["app"].state.parts.access
        scope["let_in_at"] = access.known.clock()
        # Known from memory while there are no accounts: then nothing more is looked at.
        if access.known.recall_on() is False:
            scope["identity"] = NOBODY_NEEDED
            return None
        asked, credential = self._asked(scope), credential_of(scope["headers"], secure=scope["scheme"] == "https")
        scope["identity"] = NOBODY
        try:
            if not await is_on(access.known):
                scope["identity"] = NOBODY_NEEDED
                return None
            if credential is not None:
                scope["identity"] = await identity_of(access.known, credential.text)
        except PlatformError as error:
            is_nobodys = isinstance(error, NotAuthenticated)
            if is_nobodys:
                await _count(scope, asked.budget)
            # What is open to all is open to those as well of whom nothing can be known now.
            if asked.rule is Need.NOTHING:
                return None
            if is_nobodys and credential is not None and credential.by_browser:
                return _sign_in(scope)
            raise
        await _count(scope, asked.budget)
        if credential is None:
            return None if asked.rule is Need.NOTHING else _sign_in(scope)
        _check(scope, asked.rule, scope["identity"], credential)
        return None

    def _asked(self, scope: Scope) -> Demand:
        if self._addresses is None:
            self._addresses = known_addresses(scope["app"])
        return asked_by(scope, self._addresses)


async def _count(scope: Scope, budget: Budget) -> None:
    """Count a request for its user, or for the address where it is not known whose it is; the scope has what is left.

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


def _heard_out(scope: Scope, receive: Receive) -> Receive:
    """Have the end of a body come only from those who may by then what they could when it began, and see the same."""

    async def receive_from_the_same() -> Message:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            identity: Identity = scope["identity"]
            if await identity_by_now(scope) != identity:
                changed = "had their rights or teams changed while the request was under way, so that it was not done"
                raise NotAllowed(f"'{identity.name}' {changed}. Send it again if it is still meant. {NotAllowed.hint}")
        return message

    return receive_from_the_same


def _kept_private(scope: Scope, send: Send) -> Send:
    """Have nobody keep what somebody gets who is known: no browser, and nobody on the way.

    A program may keep a file, and ask by its ETag whether it has changed. What is the same for everybody says so.
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
    """Whether an identity has what a rule asks for, and a browser sends it for a page of ours.

    Raises:
        NotAllowed: when it has not.
        MissingPageToken: when the browser does not bring the token of its login.
    """
    if not isinstance(rule, Need) and rule.isdisjoint(identity.permissions):
        raise not_allowed(identity, f"{scope['method']} {scope['path']}")
    if rule is not Need.NOTHING and credential.by_browser and scope["method"] not in _SAFE:
        key, session_id = scope["app"].state.parts.key, identity.session_id or ""
        if not is_token_of(key, session_id, page_token_of(scope["headers"])):
            raise MissingPageToken


def _sign_in(scope: Scope) -> Response:
    """What those are told who have to say who they are; a browser that looks at an address is taken to the login."""
    request = Request(scope)
    if scope["method"] == "GET" and "error_form" not in scope and prefers_page(request):
        return RedirectResponse(with_return(scope), status_code=303, headers={"Cache-Control": "no-store"})
    said = f"This address asks who you are. {NotAuthenticated.hint}"
    return answer_of(request, NotAuthenticated(said))
