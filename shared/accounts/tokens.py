"""Access tokens: signed proof of a login, valid for a quarter of an hour, or longer for browsers.

Their times are those of the database's clock, which all processes share, so that the clocks of machines do not matter.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import jwt

from shared.accounts.names import is_name
from shared.errors import NotAuthenticated
from shared.key_derivation import HasSecret, derived_key

ACCESS_SECONDS = 15 * 60
LEEWAY_SECONDS = 30
LONGEST_CREDENTIAL = 4096

_ALGORITHM = "HS256"
_ISSUER = "mlmini"
_AUDIENCE = "mlmini api"
_REQUIRED = ["exp", "iat", "aud", "iss", "jti", "sub", "sid", "epoch"]
_PART = "[A-Za-z0-9_-]"
_SESSION = re.compile(rf"{_PART}{{1,32}}")
_FORM = re.compile(rf"{_PART}{{1,256}}\.{_PART}+\.{_PART}{{43}}")


class AccessClaims(NamedTuple):
    """The claims of a token. The role is not among them: it may have changed since, so it is looked up."""

    user_name: str
    session_id: str
    epoch: int
    issued_at: int
    expires_at: int

    def check_time(self, now: datetime) -> None:
        """Check that the token is valid at a moment of the database's clock.

        Raises:
            NotAuthenticated: when it has ended, or has not begun.
        """
        seconds = now.timestamp()
        if seconds >= self.expires_at + LEEWAY_SECONDS:
            raise NotAuthenticated(f"The token has expired. {NotAuthenticated.hint}")
        if seconds < self.issued_at - LEEWAY_SECONDS:
            raise NotAuthenticated(f"The token is not valid yet. {NotAuthenticated.hint}")


class AccessTokens:
    """Makes tokens and reads them."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # A token with any other header, which may name another algorithm or key, is refused before it is parsed.
        self._header = jwt.encode({}, secret, algorithm=_ALGORITHM).partition(".")[0] + "."

    def issue(
        self, user_name: str, session_id: str, epoch: int, now: datetime, *, seconds: int = ACCESS_SECONDS
    ) -> str:
        """A token for a login of a user, valid for `seconds` from now on."""
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": user_name,
            "sid": session_id,
            "epoch": epoch,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=seconds)).timestamp()),
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> AccessClaims:
        """The claims of a token of ours. Their `check_time` tells whether it is valid now.

        Raises:
            NotAuthenticated: when it is no token of ours.
        """
        if len(token) > LONGEST_CREDENTIAL or not _FORM.fullmatch(token) or not token.startswith(self._header):
            raise NotAuthenticated(_NOT_OURS)
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                # `check_time` compares the times with the clock of the database.
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError):
            raise NotAuthenticated(_NOT_OURS) from None
        found = AccessClaims(claims["sub"], claims["sid"], claims["epoch"], claims["iat"], claims["exp"])
        has_types = [type(value) for value in found] == [str, str, int, int, int]
        if not (has_types and is_name(found.user_name) and _SESSION.fullmatch(found.session_id)):
            raise NotAuthenticated(_NOT_OURS)
        return found


_NOT_OURS = f"The token was not issued by this platform, or is damaged. {NotAuthenticated.hint}"


def access_tokens_of(key: HasSecret) -> AccessTokens:
    """The tokens of the platform that has this artifact key."""
    return AccessTokens(derived_key(key, "access tokens"))
