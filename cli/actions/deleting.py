"""Deleting a dataset, or hiding it."""

from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client


def delete_dataset(client: Client, name: str, *, archive: bool) -> dict[str, Any]:
    """Delete or archive a dataset, and return what was done: the API answers without a document.

    Raises:
        Refused, Unreachable: as `Client.send`.
    """
    client.send(calls.delete_dataset(name, archive=archive))
    return {"name": name, "done": "archived" if archive else "deleted"}
