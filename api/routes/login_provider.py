"""Logins of browsers through the identity provider: the way there, and the way back."""

from typing import TYPE_CHECKING, Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access.callers import Caller, CallerDep
from api.access.credentials import cookie_of
from api.access.sign_in import (
    COOKIE_SECONDS,
    forget_attempt,
    keep_attempt,
    keep_login,
    local_address,
    name_of_attempt,
    token_of,
)
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import answer_of
from api.pages.login import page_of_arrival, page_of_provider, page_without_accounts
from api.parts import Parts
from shared.accounts.oidc.attempts import LoginAttempt
from shared.accounts.sessions import IssuedTokens
from shared.errors import LoginRefused, NoIdentityProvider, PlatformError
from shared.logging import get_logger

if TYPE_CHECKING:
    from shared.accounts.oidc.arriving import ProviderLogins

log = get_logger(__name__)

router = APIRouter(include_in_schema=False, route_class=StrictRoute)

# What browsers say of an address that a person has entered, or a link of our own leads to; programs say nothing.
_BY_A_PERSON = {"same-origin", "none"}
_NOT_BEGUN = (
    "This browser has not begun this login, or more than ten minutes ago, or another one since, or under another name "
    f"of the platform. {LoginRefused.hint}"
)


@router.get("/login/oidc")
async def go_to_provider(
    *,
    parts: PartsDep,
    caller: CallerDep,
    request: Request,
    back_to: Annotated[str, Query(alias="next", max_length=2000)] = "/docs",
    fresh: bool = False,
) -> Response:
    """Begin a login and lead the browser to the provider, which has to ask the person anew if it is to be `fresh`."""
    logins = _logins(parts)
    if not caller.is_known:
        return page_without_accounts()
    if not set(request.headers.getlist("sec-fetch-site")) <= _BY_A_PERSON:
        # A page of another site has led here: the person says whether it is meant.
        return page_of_provider(logins.provider, local_address(back_to), fresh=fresh)
    now = await to_thread.run_sync(logins.now, limiter=parts.lanes.logins)
    before = caller.identity.session_id or ""
    attempt, kept = logins.attempts.begin(local_address(back_to), now, before=before, fresh=fresh)
    address = await logins.exchange.address(attempt)
    answer = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
    keep_attempt(answer, kept, secure=_is_secure(logins))
    return answer


@router.get("/login/oidc/callback")
async def come_back(*, parts: PartsDep, caller: CallerDep, request: Request) -> Response:
    """Log in who comes back from the provider, and go to where the person wanted to be."""
    logins = _logins(parts)
    attempt, told = await _begun(parts, logins, request)
    try:
        await parts.access.tries.enter_from(caller.sender.address or "")
        issued = await _logged_in(parts, caller, attempt, told)
    except PlatformError as error:
        answer = answer_of(request, error, {"Cache-Control": "no-store"})
        forget_attempt(answer, secure=_is_secure(logins))
        return answer
    await parts.access.tries.succeeded("", caller.sender.address or "")
    parts.access.known.forget()
    answer = page_of_arrival(attempt.back_to)
    token = token_of(parts.key, issued.session_id)
    keep_login(answer, request, session=issued.access_token, token=token, seconds=COOKIE_SECONDS)
    forget_attempt(answer, secure=_is_secure(logins))
    return answer


async def _begun(parts: Parts, logins: "ProviderLogins", request: Request) -> tuple[LoginAttempt, dict[str, str]]:
    """The attempt that this browser has begun, and what the provider says of it.

    Raises:
        LoginRefused: when it has begun none, or another than that which comes back.
    """
    kept = cookie_of(request.scope["headers"], name_of_attempt(secure=_is_secure(logins)))
    now = await to_thread.run_sync(logins.now, limiter=parts.lanes.logins)
    attempt = None if kept is None else logins.attempts.recognise(kept, now)
    pairs = request.query_params.multi_items()
    told = dict(pairs)
    if attempt is None or len(told) != len(pairs) or not attempt.is_of(told.get("state", "")):
        log.warning("login_not_begun_here")
        raise LoginRefused(_NOT_BEGUN)
    return attempt, told


async def _logged_in(parts: Parts, caller: Caller, attempt: LoginAttempt, told: dict[str, str]) -> IssuedTokens:
    """Ask the provider who it is, and log in who may. A refusal is recorded.

    Raises:
        LoginRefused: when nobody may be logged in.
        IdentityProviderUnavailable: when the provider does not answer.
    """
    logins, name = _logins(parts), None
    try:
        now = await to_thread.run_sync(logins.now, limiter=parts.lanes.logins)
        arrival = await logins.exchange.arrival(attempt, told, now=now)
        name = arrival.name
        return await to_thread.run_sync(
            lambda: logins.log_in(arrival, attempt, caller.sender, seconds=COOKIE_SECONDS),
            limiter=parts.lanes.logins,
        )
    except LoginRefused as error:
        refused = error
        await to_thread.run_sync(lambda: logins.note_refusal(refused, name, caller.sender), limiter=parts.lanes.logins)
        raise


def _is_secure(logins: "ProviderLogins") -> bool:
    return logins.provider.public_url.startswith("https:")


def _logins(parts: Parts) -> "ProviderLogins":
    if parts.access.provider is None:
        raise NoIdentityProvider
    return parts.access.provider
