"""The keys that a server of one model asks for, if it has any. Only their digests are kept."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Self

from api.access.credentials import Headers, credential_of
from shared.errors import NotAuthenticated, WrongSettings
from shared.settings import Settings

# Long enough that nobody guesses it, of characters that a header can hold.
_KEY = re.compile(r"[!-~]{32,512}")
_MOST = 100

HINT = "Send one of the keys of this server in `X-API-Key`, or as `Authorization: Bearer`."


class ServeKeys:
    """Admits requests that bring one of these keys; if there are no keys, all requests."""

    def __init__(self, digests: Sequence[bytes]) -> None:
        self._digests = digests

    @classmethod
    def of_settings(cls, settings: Settings) -> Self:
        """The keys of MLMINI_SERVE_KEYS, or of the file that MLMINI_SERVE_KEYS_FILE names: one on each line.

        Raises:
            WrongSettings: when a line is no key, or there are too many.
        """
        if settings.serve_keys is None:
            return cls([])
        lines = [line.strip() for line in settings.serve_keys.get_secret_value().splitlines()]
        wrong = [str(number) for number, line in enumerate(lines, 1) if line and not _KEY.fullmatch(line)]
        keys = {line for line in lines if line}
        if wrong or not 1 <= len(keys) <= _MOST:
            what = f"there is no key on line {', '.join(wrong)}" if wrong else f"there are {len(keys)} keys"
            raise WrongSettings(
                f"MLMINI_SERVE_KEYS: {what}. It takes 1 to {_MOST} keys, one on each line, each of 32 to 512 letters, "
                "digits and signs without spaces, such as `openssl rand -hex 32` prints"
            )
        return cls([_digest(key) for key in sorted(keys)])

    @property
    def are_asked_for(self) -> bool:
        """Whether a request has to bring one."""
        return bool(self._digests)

    def admit(self, headers: Headers) -> bool:
        """Whether a request may ask. All keys are compared, so that the time reveals nothing about any."""
        if not self._digests:
            return True
        credential = credential_of(headers)
        # A cookie does not count: a browser sends it by itself, for any page.
        given = _digest("" if credential is None or credential.by_browser else credential.text)
        return bool(sum(hmac.compare_digest(given, digest) for digest in self._digests))

    def check(self, headers: Headers) -> None:
        """Go on only if a request may ask.

        Raises:
            NotAuthenticated: when it brings none of the keys.
        """
        if not self.admit(headers):
            raise NotAuthenticated(f"This server asks for a key, and the request brings none that it knows. {HINT}")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
