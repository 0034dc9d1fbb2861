"""Deleting a dataset, hiding it, and erasing datasets and models for good."""

import sys
from typing import Any

import typer

from cli.client import requests as calls
from cli.client.connection import Client


def delete_dataset(client: Client, name: str, *, archive: bool, erase: bool, sure: bool) -> dict[str, Any]:
    """Delete, archive or erase a dataset, and return what was done: the API answers without a document.

    Raises:
        Refused, Unreachable: as `Client.send`.
        typer.Abort: when somebody at a terminal does not want it after all.
    """
    if erase and not archive:
        _ask(f"Erase the dataset {name} for good, with all that its jobs said?", sure=sure)
    elif not archive:
        _ask(f"Delete the dataset {name} with all its versions, which nothing brings back?", sure=sure)
    client.send(calls.delete_dataset(name, archive=archive, erase=erase))
    return {"name": name, "done": "archived" if archive else "erased" if erase else "deleted"}


def erase_model(client: Client, version: int, *, sure: bool) -> dict[str, Any]:
    """Erase a model, and return what was done.

    Raises:
        Refused, Unreachable: as `Client.send`.
        typer.Abort: when somebody at a terminal does not want it after all.
    """
    _ask(f"Erase version {version} for good, with its files of all stages?", sure=sure)
    client.send(calls.erase_model(version))
    return {"version": version, "done": "erased"}


def _ask(question: str, *, sure: bool) -> None:
    if not sure and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)
