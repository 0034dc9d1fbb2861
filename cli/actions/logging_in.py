"""`mlmini login` and `mlmini logout`: tokens of a platform for this user, and their end."""

import os
import sys
from getpass import getpass
from http import HTTPStatus

from rich.text import Text

from cli.client import login_requests as calls
from cli.client.address import Address, find_address
from cli.client.connection import Client
from cli.client.credentials import LoginEnded, usable_login
from cli.client.errors import Refused, Unreachable, WrongUsage
from cli.client.keys import FILE_VARIABLE, KEY_VARIABLE
from cli.client.logins import KeptLogin, find_login, keep_login, logins_held, place_of
from cli.client.secret_text import without_line_end
from cli.render.output import Output

_MOST_BYTES = 4096
_NOT_TOLD = "The login was removed here; there it ends by itself when it was not renewed for 14 days."


def log_in(url: str | None, name: str | None, *, as_json: bool) -> None:
    """Ask for the password, exchange it for tokens and keep these.

    Raises:
        WrongUsage: when no name was given and nobody can be asked, or the URL is wrong.
        Refused, Unreachable: as `Client.send`.
        CommandFailed: when the tokens cannot be kept.
    """
    address, output = find_address(url), Output(as_json=as_json)
    if address.has_user:
        raise WrongUsage(
            "The URL has a user and a password for what stands before the platform, and a request has room for one "
            f"such pair. Use an API key: set {FILE_VARIABLE}."
        )
    name = name or _asked_name()
    password = _password(name)
    # Before the login begins: where it cannot be kept, there is to be none.
    with logins_held(), Client(address, tell=output.tell) as client:
        answer = client.get(calls.log_in(name, password))
        keep_login(place_of(address), KeptLogin.of_answer(name, answer))
    for variable in (FILE_VARIABLE, KEY_VARIABLE):
        if os.environ.get(variable):
            output.tell(f"{variable} is set, and goes before this login.")
    output.give({"name": name, "url": address.shown}, _logged_in)


def log_out(url: str | None, *, as_json: bool) -> None:
    """End the login, there and here.

    Raises:
        WrongUsage: when the URL is wrong, or others can read the tokens.
        CommandFailed: when the tokens cannot be removed.
        Refused, Unreachable: when the platform could not be told; here the login has ended all the same.
    """
    address, output = find_address(url), Output(as_json=as_json)
    place = place_of(address)
    if (kept := find_login(place)) is not None:
        try:
            _end_there(address)
        finally:
            with logins_held():
                keep_login(place, None)
    output.give({"name": kept.name if kept else None, "url": address.shown}, _logged_out)


def _end_there(address: Address) -> None:
    try:
        login = usable_login(address)
        if login is not None:
            headers = {"Authorization": f"Bearer {login.access_token}"}
            with Client(address, credential=lambda: headers) as client:
                client.get(calls.log_out())
    except LoginEnded:
        # That was wanted.
        return
    except Refused as refused:
        if refused.problem.get("status") != HTTPStatus.UNAUTHORIZED:
            raise
    except Unreachable as failure:
        raise Unreachable(f"{failure.sentence}\n  {_NOT_TOLD}") from None


def _asked_name() -> str:
    if not sys.stdin.isatty():
        raise WrongUsage("Say who logs in: mlmini login --name NAME. The password is read from standard input.")
    sys.stderr.write("Name: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _password(name: str) -> str:
    if sys.stdin.isatty():
        return getpass(f"Password of {name}: ")
    return without_line_end(sys.stdin.buffer.read(_MOST_BYTES), called="standard input")


def _logged_in(done: dict[str, str]) -> Text:
    return Text(f"{done['name']} is logged in at {done['url']}.")


def _logged_out(done: dict[str, str | None]) -> Text:
    return Text(f"{done['name'] or 'Nobody'} {'is logged out' if done['name'] else 'was logged in'} at {done['url']}.")
