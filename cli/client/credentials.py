"""What a verb sends to say who it is: the key of the environment, else the login at that platform."""

from collections.abc import Mapping
from http import HTTPStatus

from cli.client import login_requests as calls
from cli.client.address import Address
from cli.client.connection import Client
from cli.client.errors import CommandFailed, Refused
from cli.client.keys import FILE_VARIABLE, given_key
from cli.client.logins import KeptLogin, find_login, keep_login, logins_held, place_of

_MEND = f"log in with `mlmini login`, or set {FILE_VARIABLE} to a file that holds an API key"


class LoginEnded(CommandFailed):
    """The platform does not renew a login any more; it is not kept any more either."""


class Credentials:
    """What is sent to one platform, and to no other."""

    def __init__(self, address: Address) -> None:
        """Look at the environment.

        Raises:
            WrongUsage: when it names a key that cannot be used.
        """
        self._address = address
        self._key = given_key()

    def headers(self) -> Mapping[str, str]:
        """The header that says who asks; none where nobody has logged in. It renews a login that is about to end.

        Raises:
            WrongUsage, CommandFailed, LoginEnded, Unreachable: as `usable_login`.
        """
        if self._key is not None:
            return {"X-API-Key": self._key.text}
        login = None if self._address.has_user else usable_login(self._address)
        return {} if login is None else {"Authorization": f"Bearer {login.access_token}"}

    def headers_if_any(self) -> Mapping[str, str]:
        """As `headers`, but none where they cannot be had: for what is told to everybody, if not all of it."""
        try:
            return self.headers()
        except CommandFailed:
            return {}

    def refusal(self) -> str:
        """What to say when the platform does not take that."""
        there = f"The platform at {self._address.shown}"
        if self._key is not None:
            return (
                f"{there} does not take the key in {self._key.variable}, which is nobody's, was revoked or has ended: "
                f"set another one, or unset it and log in with `mlmini login`."
            )
        return f"{there} asks who you are: {_MEND}."


def usable_login(address: Address) -> KeptLogin | None:
    """The login at a platform with an access token that has not ended; None where nobody has logged in.

    Raises:
        WrongUsage, CommandFailed: when what is kept cannot be used.
        LoginEnded: when the platform does not renew it.
        Unreachable: when the platform does not answer.
    """
    place = place_of(address)
    login = find_login(place)
    if login is None or login.is_fresh:
        return login
    with logins_held():
        # Another verb may have renewed it meanwhile, and a refresh token is good once.
        login = find_login(place)
        return login if login is None or login.is_fresh else _renewed(address, place, login)


def _renewed(address: Address, place: str, login: KeptLogin) -> KeptLogin:
    try:
        with Client(address) as client:
            answer = client.get(calls.refresh(login.refresh_token))
    except CommandFailed as failure:
        # Whether the token was exchanged is not known, and the login ends when it comes again: no call repeats this.
        failure.passes = False
        if not isinstance(failure, Refused) or failure.problem.get("status") != HTTPStatus.UNAUTHORIZED:
            raise
        keep_login(place, None)
        sentence = f"The login of {login.name} at {address.shown} has ended: {_MEND}."
        raise LoginEnded(sentence) from None
    # Kept before it is used: the old one is good for nothing any more.
    renewed = KeptLogin.of_answer(login.name, answer)
    keep_login(place, renewed)
    return renewed
