"""Samples of answers, as a real platform gave them: `answers.json` is recorded, not written."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from api.docs.refusals import refusals_of

Samples = dict[str, Any]


def add_samples(operation: dict[str, Any]) -> None:
    """Put samples into each response of an operation that has a body."""
    name = operation["operationId"]
    for status, response in operation["responses"].items():
        samples = refusals_of(name, int(status)) if int(status) >= 400 else _recorded().get(f"{name} {status}")
        if samples and "content" in response:
            # Contents are shared between responses, so each gets one of its own.
            response["content"] = {
                kind: {**content, "examples": samples} for kind, content in response["content"].items()
            }


@cache
def _recorded() -> dict[str, Samples]:
    """The samples by operation and status."""
    recorded: dict[str, Samples] = json.loads((files("api.docs") / "answers.json").read_text(encoding="utf-8"))
    return recorded
