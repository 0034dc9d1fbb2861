"""Logins of browsers: their cookies, the token that goes with them, and where a login leads back to."""

import hashlib
import hmac
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.access.credentials import COOKIE, PAGE_TOKEN_COOKIE, name_of_cookie
from shared.accounts.oidc.attempts import ATTEMPT_SECONDS
from shared.key_derivation import HasSecret, derived_key

_ATTEMPT_COOKIE = "mlmini_oidc"

_HOME = "/docs"
_LONGEST = 2000


# A working day, after which the browser asks again.
COOKIE_SECONDS = 12 * 3600


def token_of(key: HasSecret, session_id: str) -> str:
    """What pages of a login send beside its cookie: no other site can know it."""
    return hmac.new(derived_key(key, "pages"), session_id.encode(), hashlib.sha256).hexdigest()


def is_token_of(key: HasSecret, session_id: str, token: str) -> bool:
    """Whether a token is that of a login."""
    return hmac.compare_digest(token_of(key, session_id).encode(), token.encode())


def keep_login(response: Response, request: Request, *, session: str, token: str, seconds: int) -> None:
    """Have the browser keep a login, for pages of this origin only."""
    secure = request.url.scheme == "https"
    for name, value in ((COOKIE, session), (PAGE_TOKEN_COOKIE, token)):
        response.set_cookie(
            name_of_cookie(name, secure=secure),
            value,
            max_age=seconds,
            path="/",
            secure=secure,
            # Pages of ours read the token, and no script reads the login.
            httponly=name == COOKIE,
            samesite="strict",
        )


def forget_login(response: Response, request: Request) -> None:
    """Have the browser forget its login, and what it has kept of answers to it."""
    secure = request.url.scheme == "https"
    for name in (COOKIE, PAGE_TOKEN_COOKIE):
        response.delete_cookie(name_of_cookie(name, secure=secure), path="/", secure=secure)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def keep_attempt(response: Response, kept: str, *, secure: bool) -> None:
    """Have the browser keep a login that it has begun at the identity provider, which leads it back from another site.

    `Lax` sends it with that, as the address is asked for and changes nothing for others.
    """
    response.set_cookie(
        name_of_attempt(secure=secure),
        kept,
        max_age=ATTEMPT_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget_attempt(response: Response, *, secure: bool) -> None:
    """Have the browser forget it: it leads to one login, or to none."""
    response.delete_cookie(name_of_attempt(secure=secure), path="/", secure=secure)


def name_of_attempt(*, secure: bool) -> str:
    """What its cookie is called. No other host of the domain can set one of that name."""
    return name_of_cookie(_ATTEMPT_COOKIE, secure=secure)


def with_return(scope: Scope) -> str:
    """The address of the login that leads back to what was asked for."""
    query = scope["query_string"].decode("latin-1")
    asked = scope["path"] + (f"?{query}" if query else "")
    return f"/login?next={quote(asked, safe='/')}"


def local_address(wanted: str) -> str:
    """Where a login leads to: an address of this server, whatever the request names."""
    # Browsers take a backslash for a slash, and two of them for the beginning of another host.
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if is_local and wanted.isascii() and wanted.isprintable() and len(wanted) <= _LONGEST else _HOME
