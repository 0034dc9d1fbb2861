"""Every verb's beginning and end: a connection to the API, and a place for its answers."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.client.address import find_address
from cli.client.connection import Client
from cli.client.failures import Refused
from cli.show.output import Output


@contextmanager
def connected(url: str | None, *, as_json: bool = False) -> Iterator[tuple[Client, Output]]:
    """A client of the API, and the output; what the API refuses is given as JSON where JSON was asked for.

    Raises:
        WrongUsage: when the URL is none.
    """
    output = Output(as_json=as_json)
    with Client(find_address(url), tell=output.tell) as client:
        try:
            yield client, output
        except Refused as refusal:
            if as_json:
                output.write(refusal.problem)
            raise
