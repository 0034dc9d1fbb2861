"""What a request brings to say who sends it."""

from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

# What a browser keeps after a login at /login: nobody else's page sends it, and no script reads it.
COOKIE = "mlmini_session"
# The token that pages of our own send beside the cookie, which they read from a cookie of its own.
PAGE_TOKEN_COOKIE = "mlmini_token"  # noqa: S105 - a name
PAGE_TOKEN_HEADER = b"x-page-token"

# Over https, names of cookies begin with it: browsers take such a cookie from this very host only, and only by https.
HOST_PREFIX = "__Host-"

Headers = Sequence[tuple[bytes, bytes]]
# The same, where no name comes twice.
GivenHeaders = Mapping[bytes, bytes]


class Credential(NamedTuple):
    """The text of a credential, and whether a browser sent it by itself."""

    text: str
    by_browser: bool = False


def name_of_cookie(name: str, *, secure: bool) -> str:
    """What a cookie for all addresses is called; `secure` says that it goes over https."""
    return f"{HOST_PREFIX}{name}" if secure else name


def credential_of(headers: Headers, *, secure: bool = False) -> Credential | None:
    """The credential of a request: an API key, a bearer token, or the cookie of a login; None where there is none.

    `secure` says that it came over https.

    Of several, the one that was put there on purpose counts, and of several of one kind none does.
    """
    keys = [value for name, value in headers if name == b"x-api-key"]
    bearers = [value for name, value in headers if name == b"authorization"]
    if keys or bearers:
        given = [_text(value) for value in keys] + [_bearer(value) for value in bearers]
        # An empty text is no credential that anybody has: it is refused, as two of them are.
        return Credential(given[0] if len(given) == 1 else "")
    session = cookie_of(headers, name_of_cookie(COOKIE, secure=secure))
    return None if session is None else Credential(session, by_browser=True)


def cookie_of(headers: Headers, wanted: str) -> str | None:
    """The value of a cookie, None where there is none or not one only."""
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
    """The token that a page of ours sends beside the cookie; empty where there is none, or not one only."""
    given = [value for name, value in headers if name == PAGE_TOKEN_HEADER]
    return _text(given[0]) if len(given) == 1 else ""


def _bearer(value: bytes) -> str:
    scheme, _, token = _text(value).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip()
