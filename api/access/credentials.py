"""The credentials that a request brings."""

from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

# The cookie of a login at /login. Pages of other sites cannot have it sent, and no script can read it.
COOKIE = "mlmini_session"
# The token that our own pages send beside that cookie. They read it from a second cookie.
PAGE_TOKEN_COOKIE = "mlmini_token"  # noqa: S105 - a name
PAGE_TOKEN_HEADER = b"x-page-token"

# The names of our cookies begin so over https: browsers then accept them from this very host only, and only by https.
HOST_PREFIX = "__Host-"

Headers = Sequence[tuple[bytes, bytes]]
# The same, where no name comes twice.
GivenHeaders = Mapping[bytes, bytes]


class Credential(NamedTuple):
    """The text of a credential, and whether a browser sent it by itself."""

    text: str
    by_browser: bool = False


def name_of_cookie(name: str, *, secure: bool) -> str:
    """The full name of a cookie of ours; `secure` says whether it goes over https."""
    return f"{HOST_PREFIX}{name}" if secure else name


def credential_of(headers: Headers, *, secure: bool = False) -> Credential | None:
    """The credential of a request: an API key, a bearer token, or the cookie of a login; None where there is none.

    `secure` says that it came over https.

    A key or a token goes before a cookie, which browsers send by themselves. Of several keys or tokens, none counts.
    """
    keys = [value for name, value in headers if name == b"x-api-key"]
    bearers = [value for name, value in headers if name == b"authorization"]
    if keys or bearers:
        given = [_text(value) for value in keys] + [_bearer(value) for value in bearers]
        # Nobody has an empty credential, so this one is refused.
        return Credential(given[0] if len(given) == 1 else "")
    session = cookie_of(headers, name_of_cookie(COOKIE, secure=secure))
    return None if session is None else Credential(session, by_browser=True)


def cookie_of(headers: Headers, wanted: str) -> str | None:
    """The value of a cookie; None where there is none, or more than one."""
    values = []
    for name, value in headers:
        if name == b"cookie":
            try:
                cookies = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                continue
            values += [cookies[wanted].value] if wanted in cookies else []
    return values[0] if len(values) == 1 else None


def page_token_of(headers: Headers) -> str:
    """The token that a page of ours sends beside the cookie; empty where there is none, or more than one."""
    given = [value for name, value in headers if name == PAGE_TOKEN_HEADER]
    return _text(given[0]) if len(given) == 1 else ""


def _bearer(value: bytes) -> str:
    scheme, _, token = _text(value).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip()
