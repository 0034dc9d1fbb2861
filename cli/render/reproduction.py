"""What came of training a model once more, as tables."""

from typing import Any

from rich.console import RenderableType

from cli.render.models import notes_text
from cli.render.output import sections
from cli.render.table import table
from cli.render.text import cell, count


def reproduction(result: dict[str, Any]) -> RenderableType:
    """Whether it is the same model, and where it differs."""
    rows, libraries = result["rows"], result["libraries"]
    verdict = "the same model" if result["equal"] else "another model"
    largest = rows["largest_difference"]
    apart = "" if largest is None else f", largest difference {largest:g}"
    return sections(
        f"Training version {result['version']} once more gives {verdict}.",
        f"{count(rows['compared'], 'row')} compared, {rows['different']} with another answer{apart}.",
        ("Metrics", _then_and_now("Metric", result["metrics"])),
        ("Other releases", _then_and_now("Library", libraries)) if libraries else None,
        notes_text(result["notes"]),
    )


def _then_and_now(name: str, found: dict[str, Any]) -> RenderableType:
    return table([name, "Then", "Now"], ((each, cell(pair["then"]), cell(pair["now"])) for each, pair in found.items()))
