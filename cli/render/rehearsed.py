"""What an upgrade's rehearsal found, as tables."""

from typing import Any

from rich.console import RenderableType

from cli.client.hints import in_verbs
from cli.render.output import sections
from cli.render.table import table
from cli.render.text import count


def rehearsed(document: dict[str, Any]) -> RenderableType:
    """Each version with its verdict and the reason, and which libraries are others."""
    items = document["items"]
    if not items:
        return "No version is active in a stage, so there is nothing to rehearse."
    changed = {
        (name, each["then"], each["now"] or "not installed"): None
        for item in items
        for name, each in item["libraries"].items()
    }
    rows = ((each["version"], each["dataset_name"], each["verdict"], in_verbs(each["reason"])) for each in items)
    other = [each for each in items if each["verdict"] != "equal"]
    verdict = f"{count(len(other), 'version')} of {len(items)} would not be the same." if other else "All are equal."
    return sections(
        table(["Version", "Dataset", "Result", "Why"], rows, whole=["Version", "Result"]),
        ("Other libraries than at the training", table(["Library", "Then", "Now"], list(changed))) if changed else None,
        verdict,
    )
