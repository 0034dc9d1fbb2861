"""Taking a model away from a stage."""

from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import CommandFailed
from cli.client.request import Call


def retire_model(client: Client, call: Call, dataset_name: str, version: int) -> Any:
    """Send the call that retires a version, if it is a model of the dataset, and return what serves there now.

    Raises:
        CommandFailed: when it is a model of another dataset. Its version is enough for the API, and a wrong one would
            stop another model.
        Refused, Unreachable: as `Client.send`.
    """
    owner = client.get(calls.model(version))["dataset_name"]
    if owner != dataset_name:
        raise CommandFailed(
            f"Version {version} is a model of '{owner}', not of '{dataset_name}', so nothing was retired. "
            f"`mlmini models list --dataset {dataset_name}` lists its versions."
        )
    return client.get(call)
