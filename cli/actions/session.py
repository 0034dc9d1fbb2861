"""What every verb begins and ends with: a connection to the API, and an output for its answers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from cli.client import requests as calls
from cli.client.address import find_address
from cli.client.connection import Client
from cli.client.credentials import Credentials
from cli.client.errors import CommandFailed, Refused, WrongUsage
from cli.client.release import release_in
from cli.render.output import Output

_OWN_VARIABLES = {"MLMINI_API_KEY", "MLMINI_API_KEY_FILE", "MLMINI_HOME", "MLMINI_PORT", "MLMINI_URL"}
_NOT_AUTHENTICATED = "not_authenticated"


@contextmanager
def connected(url: str | None, *, as_json: bool = False) -> Iterator[tuple[Client, Output]]:
    """A client of the API, and the output; what the API refuses is given as JSON where JSON was asked for.

    Raises:
        WrongUsage: when the URL is wrong, or when a misspelt variable may be meant to name it.
        CommandFailed: when the API is of another release and its answer is not understood.
    """
    _check_variables()
    output = Output(as_json=as_json)
    address = find_address(url)
    credentials = Credentials(address)
    with Client(address, tell=output.tell, credential=credentials.headers) as client:
        try:
            yield client, output
        except Refused as refused:
            if as_json:
                output.write(refused.problem)
            if refused.code == _NOT_AUTHENTICATED:
                raise Refused(refused.problem, credentials.refusal()) from None
            raise
        except (LookupError, TypeError, AttributeError, ValueError):
            # A document has an unexpected form. From an API of this release, that is a bug of ours.
            _check_release(client)
            raise


def _check_variables() -> None:
    if any(name.startswith("MLMINI_") and name not in _OWN_VARIABLES for name in os.environ):
        # Most shells have no such variable, and to import the names of all takes longer than a short answer.
        from shared.settings import unknown_names

        if unknown := unknown_names():
            raise WrongUsage(f"{'; '.join(unknown)}.")


def _check_release(client: Client) -> None:
    theirs, ours = release_in(client.get(calls.version())), version("ml-mini-platform")
    if theirs != ours:
        raise CommandFailed(
            f"The API at {client.address.shown} is of release {theirs or 'unknown'} and this mlmini of {ours}, "
            "which does not understand its answer. Use the mlmini of the API's release."
        ) from None
