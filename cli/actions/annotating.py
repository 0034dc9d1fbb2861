"""What is written on a model: tags and a note."""

from collections.abc import Sequence
from typing import Any

from cli.client.errors import WrongUsage


def annotation(*, tags: Sequence[str] | None, no_tags: bool, note: str | None, no_note: bool) -> dict[str, Any]:
    """What to change on a model: what is not named stays as it is.

    Raises:
        WrongUsage: when nothing is named, or the same thing is put on and taken away.
    """
    if (tags and no_tags) or (note is not None and no_note):
        raise WrongUsage("Give --tag or --no-tags, and --note or --no-note, but not both of a pair.")
    change: dict[str, Any] = {}
    if tags or no_tags:
        change["tags"] = list(tags or [])
    if note is not None or no_note:
        change["note"] = note
    if not change:
        raise WrongUsage("Say what to write on the model with --tag, --no-tags, --note or --no-note.")
    return change
