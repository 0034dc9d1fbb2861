"""What the options of a verb say about how a file is read, and reading a version anew by them."""

import csv
import json
from collections.abc import Mapping
from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import WrongUsage
from cli.render.output import Output

_TEXTS = ("encoding", "delimiter", "quote", "decimal", "thousands", "header")


def reading_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request that say how a file is read, of the values of a verb's options; None is left out.

    Raises:
        WrongUsage: when an option is not of the form that its help shows.
    """
    if given["no_gap_words"] and given["gap_words"]:
        raise WrongUsage("--no-gap-words and --gap-word cannot both be given. Leave one of them out.")
    fields = {
        **{name: given[name] for name in _TEXTS},
        "names": None if given["names"] is None else next(csv.reader([given["names"]]), []),
        "gap_words": [] if given["no_gap_words"] else list(given["gap_words"] or ()) or None,
        "kinds": dict(map(_kind, given["kinds"] or ())) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def form_fields(fields: dict[str, Any]) -> dict[str, str]:
    """The same fields as texts of a form."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in fields.items()
    }


def reread_dataset(
    client: Client, output: Output, name: str, fields: dict[str, Any], *, version: int | None, dry_run: bool
) -> Any:
    """Read the file of a version anew and return the dataset, telling when it is read so already.

    Raises:
        Refused, Unreachable: as `Client.send`.
    """
    header = str(fields.get("header", ""))
    body = {**fields, **({"header": int(header)} if header.isdecimal() else {})}
    answer = client.send(calls.reread(name, body, version=version, dry_run=dry_run))
    document = answer.document
    if answer.status == 200 and not dry_run:
        output.tell(f"Version {document['version']} is read in this way already; nothing was added.")
    return document


def _kind(text: str) -> tuple[str, str]:
    # A name may hold the sign, a kind does not.
    column, sign, kind = text.rpartition("=")
    if not sign or not column:
        raise WrongUsage(f"--kind {text} is not of the form COLUMN=KIND, such as zip=category.")
    return column, kind
