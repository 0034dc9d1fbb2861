"""Cards of models."""

import sys

from cli.actions.session import connected
from cli.client import requests as calls
from cli.render.text import clean


def show_card(url: str | None, version: int, *, as_json: bool) -> None:
    """Write the card of a model as the API gives it: as Markdown, or as JSON.

    Raises:
        Refused, Unreachable: as `Client.text`.
    """
    with connected(url, as_json=as_json) as (client, output):
        if as_json:
            output.write(client.get(calls.card(version)))
            return
        text = client.text(calls.card(version), accept="text/markdown")
        sys.stdout.write(clean(text) if output.out.is_terminal else text)
        sys.stdout.flush()
