"""What has changed between two versions of a dataset, as tables."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import RenderableType

from cli.render.output import facts, sections
from cli.render.table import table
from cli.render.text import count, data_text, rounded

# The most values that are named; `--json` has more.
_MOST = 5


def diff_at(address: str) -> Callable[[dict[str, Any]], RenderableType]:
    """How to show a comparison of the API at this address."""
    return partial(dataset_diff, address=address)


def dataset_diff(diff: dict[str, Any], *, address: str = "") -> RenderableType:
    """Both versions, each column with how far it has moved, and what else has changed."""
    before, after = diff["from"], diff["to"]
    place = f"{address}/datasets/{diff['name']}/diff?from={before['version']}&to={after['version']}"
    return sections(
        facts(
            [
                ("Dataset", diff["name"]),
                ("From", f"version {before['version']}, {count(before['rows'], 'row')}"),
                ("To", f"version {after['version']}, {count(after['rows'], 'row')}"),
                ("Drift", ", ".join(f"{many} {word}" for word, many in diff["drifting"].items())),
                ("Pictures", place),
            ]
        ),
        table(
            ["Column", "Drift", "PSI", "Missing", "Unique", "Mean"],
            (
                (
                    column["name"],
                    _word(column),
                    rounded(column["psi"]),
                    _both(column, lambda side: f"{side['missing_share']:.1%}"),
                    _both(column, lambda side: f"{side['unique']:,}"),
                    _both(column, lambda side: rounded(side["mean"])),
                )
                for column in diff["columns"]
            ),
            right=["PSI"],
        ),
        _others(diff),
    )


def _word(column: dict[str, Any]) -> str:
    if column["state"] in {"added", "removed"}:
        return str(column["state"])
    return column["drift"] or "not measured"


def _both(column: dict[str, Any], tell: Callable[[dict[str, Any]], str]) -> str:
    told = ["-" if side is None else tell(side) for side in (column["from"], column["to"])]
    return told[0] if told[0] == told[1] else f"{told[0]} to {told[1]}"


def _others(diff: dict[str, Any]) -> tuple[str, RenderableType] | None:
    """What has changed beside the spread of values."""
    rows = [("the file", _change(change)) for change in diff["reading"]]
    for column in diff["columns"]:
        rows += [(column["name"], _change(change)) for change in column["changes"]]
        for what in ("new_values", "vanished_values"):
            if column[what] and column[what]["count"]:
                rows.append((column["name"], _values(what.replace("_", " "), column[what])))
    return ("What else has changed", table(["Column", "Change"], rows)) if rows else None


def _change(change: dict[str, Any]) -> str:
    before, after = ("none" if change[side] is None else data_text(change[side]) for side in ("from", "to"))
    return f"{change['what'].replace('_', ' ')}: {before} to {after}"


def _values(what: str, found: dict[str, Any]) -> str:
    more = [f"{found['count'] - _MOST:,} more"] if found["count"] > _MOST else []
    return f"{what}: {', '.join([*map(data_text, found['first'][:_MOST]), *more])}"
