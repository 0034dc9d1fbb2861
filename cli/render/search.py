"""How the parameters of a model were sought, as a part of its report."""

from typing import Any

from rich.console import RenderableType

from cli.render.output import facts, sections
from cli.render.table import table
from cli.render.text import cell, rounded

_MOST = 10


def search_part(report: dict[str, Any]) -> tuple[str, RenderableType] | None:
    """The search and its best candidates; an older platform does not tell of any."""
    found = report.get("search")
    if found is None:
        return None
    metric, defaults = cell(found["metric"]), found["defaults"]
    alike = {None: [], True: [("Told apart from that", "no")], False: [("Told apart from that", "yes")]}
    about = facts(
        [
            ("Method", cell(found["method"])),
            ("Trials", f"{found['trials_done']} of {found['trials_asked']}, {found['trials_failed']} failed"),
            ("Took", f"{rounded(found['seconds'])} s, {found['folds']} folds"),
            ("Chosen", _parameters(found["chosen"])),
            (f"Mean {metric}", rounded(found["score"])),
            *([] if defaults is None else [("Without a search", rounded(defaults["mean"]))]),
            *alike[found["within_noise"]],
        ]
    )
    return ("Search", sections(about, _candidates(found, metric)))


def _candidates(found: dict[str, Any], metric: str) -> RenderableType:
    ranked = [each for each in found["candidates"] if each["rank"] is not None]
    rows = [
        (each["rank"], each["trial"], rounded(each["mean"]), rounded(each["std"]), _parameters(each["params"]))
        for each in ranked[:_MOST]
    ]
    names = ["Rank", "Trial", f"Mean {metric}", "Deviation", "Parameters"]
    return table(names, rows, right=names[:4])


def _parameters(values: dict[str, Any]) -> str:
    return ", ".join(f"{cell(name)}={cell(value)}" for name, value in values.items())
