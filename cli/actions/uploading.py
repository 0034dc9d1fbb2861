"""Uploading a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.actions.rereading import form_fields
from cli.client import requests as calls
from cli.client.connection import Answer, Client
from cli.client.errors import CommandFailed
from cli.client.request import Call
from cli.render.output import Output
from cli.render.progress import watching_bytes


def check_file(file: Path) -> None:
    """Check that a file can be read, before anything is sent.

    Raises:
        CommandFailed: when it cannot; the sentence says why.
    """
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from None


def upload(client: Client, output: Output, call: Call) -> Answer:
    """Send the file of an upload, showing how much of it has gone; the status is 200 when nothing was new.

    Raises:
        CommandFailed: when the file cannot be read.
        Refused, Unreachable: as `Client.send`.
    """
    assert call.file is not None  # noqa: S101 - an upload has a file
    check_file(call.file)
    with watching_bytes(output, f"Uploading {call.file.name}", call.file.stat().st_size) as meter:
        return client.send(call, reading=meter.reading)


def upload_table(
    client: Client,
    output: Output,
    file: Path,
    *,
    name: str | None,
    description: str | None,
    team: str | None,
    reading: Mapping[str, Any],
    dry_run: bool = False,
) -> Any:
    """Upload a table and return the dataset, telling when the catalog had it already; or look what it would be.

    Raises:
        As `upload`.
    """
    fields = form_fields(dict(reading))
    call = calls.upload(file, name=name, description=description, team=team, reading=fields, dry_run=dry_run)
    answer = upload(client, output, call)
    if answer.status == 200 and not dry_run:
        version = answer.document["version"]
        output.tell(f"The catalog has this file already, as version {version}; nothing was added.")
    return answer.document
