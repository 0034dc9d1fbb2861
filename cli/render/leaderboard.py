"""The models of one job, ranked."""

from typing import Any

from rich.console import RenderableType

from cli.render.output import sections
from cli.render.table import table
from cli.render.text import cell, rounded

Part = tuple[str, RenderableType] | None

_NEAR = "~"


def leaderboard(result: dict[str, Any] | None) -> Part:
    """The leaderboard in the result of a job, under its heading; None if there is none."""
    board = (result or {}).get("leaderboard")
    if not board:
        return None
    names = ["Rank", "Version", "Estimator", f"{cell(board[0]['metric'])}{_basis(board[0])}", "95 % interval", ""]
    rows = (
        (
            *(entry["rank"], entry["version"], entry["estimator"], rounded(entry["score"])),
            *(_range(entry["interval"]), _NEAR if entry["within_noise"] else ""),
        )
        for entry in board
    )
    near = any(entry["within_noise"] for entry in board)
    legend = f"{_NEAR} the rows kept back do not tell it apart from the best one" if near else None
    return "Leaderboard", sections(table(names, rows, right=["Rank", "Version"]), legend)


def rank_text(standing: dict[str, Any]) -> str:
    """The place of one model among those of its job."""
    near = ", not told apart from the best one by the rows kept back" if standing["within_noise"] else ""
    return f"{standing['rank']} of {standing['of']} by {cell(standing['metric'])}{_basis(standing)}{near}"


def _basis(measured: dict[str, Any]) -> str:
    return ", mean of the folds" if measured["measured_on"] == "folds" else ""


def _range(bounds: list[float] | None) -> str:
    return "-" if bounds is None else f"{rounded(bounds[0])} to {rounded(bounds[1])}"
