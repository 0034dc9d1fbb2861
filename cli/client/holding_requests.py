"""What the command line asks of the API about owners and teams."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli.client.request import Call


def give_dataset(name: str, change: Mapping[str, Any]) -> Call:
    """Say whose a dataset is."""
    return Call("PATCH", f"/datasets/{quote(name, safe='')}", body=change)


def change_user(name: str, change: Mapping[str, Any]) -> Call:
    """Change a user."""
    return Call("PATCH", f"/users/{quote(name, safe='')}", body=change)
