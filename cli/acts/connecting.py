"""Every verb's beginning and end: a connection to the API, and a place for its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from cli.client import calls
from cli.client.address import find_address
from cli.client.connection import Client
from cli.client.failures import CommandFailed, Refused
from cli.show.output import Output


@contextmanager
def connected(url: str | None, *, as_json: bool = False) -> Iterator[tuple[Client, Output]]:
    """A client of the API, and the output; what the API refuses is given as JSON where JSON was asked for.

    Raises:
        WrongUsage: when the URL is none.
        CommandFailed: when an answer of an API of another release is not understood.
    """
    output = Output(as_json=as_json)
    with Client(find_address(url), tell=output.tell) as client:
        try:
            yield client, output
        except Refused as refusal:
            if as_json:
                output.write(refusal.problem)
            raise
        except (LookupError, TypeError, AttributeError, ValueError):
            # So ends the reading of a document of an unexpected form. From an API of this release it is a bug of ours.
            _check_release(client)
            raise


def _check_release(client: Client) -> None:
    answer, ours = client.get(calls.version()), version("ml-mini-platform")
    theirs = answer.get("platform") if isinstance(answer, dict) else None
    if theirs != ours:
        raise CommandFailed(
            f"The API at {client.address.shown} is of release {theirs or 'unknown'} and this mlmini of {ours}, "
            "which does not know the form of its answer. Use mlmini of the API's release."
        ) from None
