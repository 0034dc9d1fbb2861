"""Logins of browsers."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access.callers import Caller, CallerDep
from api.access.sign_in import COOKIE_SECONDS, forget_login, is_token_of, keep_login, local_address, token_of
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.limit_headers import waiting_headers
from api.http.statuses import status_of
from api.lanes import in_lane
from api.pages.login import page_of_account, page_of_login, page_of_provider, page_without_accounts
from api.parts import Parts
from api.routes.auth import checked_login
from api.schemas.accounts import LeaveForm, LoginForm
from shared.accounts.sessions import log_out
from shared.errors import NotAuthenticated, TooManyLogins

router = APIRouter(include_in_schema=False, route_class=StrictRoute)


@router.get("/login")
def show_login(
    *,
    parts: PartsDep,
    caller: CallerDep,
    back_to: Annotated[str, Query(alias="next", max_length=2000)] = "/docs",
) -> Response:
    """The form, or who is logged in."""
    if not caller.is_known:
        return page_without_accounts()
    identity = caller.identity
    if identity.session_id is None:
        return _asking(parts, local_address(back_to))
    token, logins = token_of(parts.key, identity.session_id), parts.access.provider
    provider = None if logins is None else logins.provider
    return page_of_account(identity.name, identity.role, token, provider=provider, back_to=local_address(back_to))


def _asking(parts: Parts, back_to: str) -> Response:
    logins = parts.access.provider
    if logins is None:
        return page_of_login(back_to)
    return page_of_provider(logins.provider, back_to)


@router.post("/login")
@in_lane("logins")
def begin_login(
    *, form: Annotated[LoginForm, Form()], parts: PartsDep, caller: CallerDep, request: Request
) -> Response:
    """Log in and go to where the person wanted to be."""
    back_to = local_address(form.next)
    try:
        issued = checked_login(parts, caller, form.name, form.password, seconds=COOKIE_SECONDS)
    except (NotAuthenticated, TooManyLogins) as error:
        refused = page_of_login(back_to, error.detail, name=form.name, status=status_of(type(error)))
        refused.headers.update(waiting_headers(error))
        return refused
    # One browser has one login: nobody would end the one before.
    _end_login(parts, caller)
    answer = RedirectResponse(back_to, status_code=303)
    token = token_of(parts.key, issued.session_id)
    keep_login(answer, request, session=issued.access_token, token=token, seconds=COOKIE_SECONDS)
    return answer


@router.post("/logout")
@in_lane("logins")
def leave(*, form: Annotated[LeaveForm, Form()], parts: PartsDep, caller: CallerDep, request: Request) -> Response:
    """Log out. The token of the form shows that the person asks for it, and not another site."""
    session_id = caller.identity.session_id
    if session_id is not None and is_token_of(parts.key, session_id, form.token):
        _end_login(parts, caller)
    answer = RedirectResponse("/login", status_code=303)
    forget_login(answer, request)
    return answer


def _end_login(parts: Parts, caller: Caller) -> None:
    """End the login that the request came with, if any."""
    session_id = caller.identity.session_id
    if session_id is not None:
        with parts.database.write() as session:
            log_out(session, session_id, caller.sender)
        parts.access.known.forget()
