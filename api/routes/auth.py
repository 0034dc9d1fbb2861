"""Logins: from a name and a password to tokens."""

from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Form, Response

from api.access.callers import Caller, CallerDep
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.quotas import used_by
from api.schemas.accounts import Me, TokenAnswer, TokenForm
from api.schemas.quotas import Limits
from shared.accounts.sessions import IssuedTokens, log_out
from shared.accounts.tokens import ACCESS_SECONDS
from shared.errors import DatabaseFailure, NotAuthenticated, PasswordLoginOff, TooManyLogins

router = APIRouter(tags=["Access"], route_class=StrictRoute)

# Answers with tokens must not be cached (RFC 6749, section 5.1).
_NOT_KEPT = "no-store"


@router.post("/auth/token", summary="Log in", responses=responses(401, 403, 413, 415, 422, 429, 503))
@in_lane("logins")
def log_in(
    *, form: Annotated[TokenForm, Form()], parts: PartsDep, caller: CallerDep, response: Response
) -> TokenAnswer:
    """Exchange a name and a password for tokens, by the password flow of OAuth 2."""
    response.headers["Cache-Control"] = _NOT_KEPT
    return TokenAnswer.of_issued(checked_login(parts, caller, form.username, form.password))


@router.post("/auth/logout", status_code=204, summary="Log out", operation_id="log_out", responses=responses(503))
@in_lane("logins")
def end_login(*, parts: PartsDep, caller: CallerDep) -> None:
    """End the login of the token that comes with the request, and all tokens of it.

    Raises:
        NotAuthenticated: when the request comes with none, or with an API key: that is revoked instead.
    """
    session_id = caller.identity.session_id
    if session_id is None:
        raise NotAuthenticated("There is no login to end: the request has no token. API keys are revoked instead.")
    with parts.database.write() as session:
        log_out(session, session_id, caller.sender)
    parts.access.known.forget()


@router.get("/me", summary="Who am I?", responses=responses(503))
def get_me(parts: PartsDep, caller: CallerDep) -> Me:
    """Who sends the request, what they may do, and how much of it."""
    identity = caller.identity
    return Me(
        name=identity.name,
        role=identity.role,
        permissions=sorted(identity.permissions),
        teams=sorted(identity.teams),
        via=identity.via,
        login_required=caller.is_known,
        limits=_limits_of(parts, caller.user_name),
    )


def _limits_of(parts: Parts, user: str | None) -> Limits | None:
    if user is None:
        return None
    try:
        with parts.database.read() as session:
            return Limits.of_user(used_by(session, user), parts.limits, parts.settings)
    except DatabaseFailure:
        # The caller is known from memory, so the rest of the answer is there without the database.
        return None


def checked_login(
    parts: Parts, caller: Caller, name: str, password: str, *, seconds: int = ACCESS_SECONDS
) -> IssuedTokens:
    """Begin a login, unless too many were tried.

    Raises:
        PasswordLoginOff: when people log in through an identity provider.
        TooManyLogins: when too many were tried of late.
        NotAuthenticated: when the name or the password is wrong.
    """
    if parts.access.provider is not None:
        raise PasswordLoginOff
    address = caller.sender.address or ""
    try:
        from_thread.run(parts.access.tries.enter, name, address)
    except TooManyLogins:
        # The name was not looked up, so the record does not name it.
        parts.access.logins.note_refusal("too many tries", caller.sender)
        raise
    with parts.access.tries.settled(name, address):
        return parts.access.logins.log_in(name, password, caller.sender, seconds=seconds)
