"""A login that a browser has begun: what goes with it to the provider, and comes back with it from there.

The browser keeps a number that nobody can guess, in a cookie with a seal. All that has to be secret, or the same on
both ways, is derived from the number and a key of the platform: nothing has to be stored, whichever process answers.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from shared.key_derivation import HasSecret, derived_key

ATTEMPT_SECONDS = 600

_PURPOSE = "logins through a provider"
_FORM = re.compile(
    r"([A-Za-z0-9_-]{43})\.([0-9]{1,12})\.([01])\.([A-Za-z0-9_-]{1,3000})\.([A-Za-z0-9_-]{0,32})\.([A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True)
class LoginAttempt:
    """One attempt: what the provider is sent and has to send back, and where the person wanted to be."""

    back_to: str
    # Comes back in the address: who did not begin this login does not know it.
    state: str
    # Comes back in the token: one that was made for another login has another.
    nonce: str
    # Shows that who exchanges the code is who asked for it (RFC 7636).
    verifier: str
    # Of the login that it leads to. As there can be only one, an attempt succeeds once.
    session_id: str
    # The login that the browser had before, which ends with the next one; empty where there was none.
    before: str
    # By the clock of the database, in seconds since 1970.
    began_at: int
    # Whether the provider has to ask the person anew, even if it knows them.
    fresh: bool

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier at the beginning."""
        return _written(hashlib.sha256(self.verifier.encode()).digest())

    def is_of(self, state: str) -> bool:
        """Whether it is this attempt that comes back."""
        return hmac.compare_digest(state.encode(), self.state.encode())


class LoginAttempts:
    """Begins attempts, and recognises them."""

    def __init__(self, key: HasSecret) -> None:
        self._key = derived_key(key, _PURPOSE)

    def begin(self, back_to: str, now: float, *, before: str = "", fresh: bool = False) -> tuple[LoginAttempt, str]:
        """A new attempt, and what the browser is to keep of it; `before` is the login that it has."""
        number = secrets.token_urlsafe(32)
        told = f"{number}.{int(now)}.{int(fresh)}.{_written(back_to.encode())}.{before}"
        attempt = self._attempt(number, back_to, before=before, began_at=int(now), fresh=fresh)
        return attempt, f"{told}.{self._derived('seal', told)}"

    def recognise(self, kept: str, now: float) -> LoginAttempt | None:
        """The attempt of which a browser kept this; None where it is none of ours, or too old."""
        form = _FORM.fullmatch(kept)
        if form is None:
            return None
        number, began, fresh, back_to, before, seal = form.groups()
        if not hmac.compare_digest(seal, self._derived("seal", kept.rpartition(".")[0])):
            return None
        if not -1 <= now - int(began) <= ATTEMPT_SECONDS:
            return None
        wanted = base64.urlsafe_b64decode(back_to + "=" * (-len(back_to) % 4)).decode()
        return self._attempt(number, wanted, before=before, began_at=int(began), fresh=fresh == "1")

    def _attempt(self, number: str, back_to: str, *, before: str, began_at: int, fresh: bool) -> LoginAttempt:
        return LoginAttempt(
            back_to=back_to,
            state=self._derived("state", number),
            nonce=self._derived("nonce", number),
            verifier=self._derived("verifier", number),
            session_id=self._derived("session", number)[:22],
            before=before,
            began_at=began_at,
            fresh=fresh,
        )

    def _derived(self, purpose: str, of: str) -> str:
        return _written(hmac.new(self._key, f"{purpose}\0{of}".encode(), hashlib.sha256).digest())


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
