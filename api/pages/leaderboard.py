"""The models of one job, ranked, as a part of its page and of their reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.markup import Content, Html, element, link, table, together
from api.pages.measures import measure
from shared.evaluation.assessment import Standing

_NAMES = ["Rank", "Model", "Estimator", "Score", "95 % interval", "Told apart from the best one"]


def leaderboard(entries: Sequence[Mapping[str, Any]]) -> Html | None:
    """The table, the best model first; nothing where the job trained one model."""
    if not entries:
        return None
    first = entries[0]
    return together(
        element("h2", "Leaderboard"),
        element("p", f"Ranked by {first['metric']}{_basis(first['measured_on'])}. {_EXPLAINED}"),
        table("The best first", _NAMES, [_row(entry) for entry in entries]),
    )


def rank(standing: Standing) -> str:
    """The place of one model, in words."""
    near = ", not told apart from the best one" if standing.within_noise else ""
    return f"{standing.rank} of {standing.of} by {standing.metric}{_basis(standing.measured_on)}{near}"


_EXPLAINED = "Two models are told apart where their intervals, from the rows that were kept back, do not overlap."


def _row(entry: Mapping[str, Any]) -> list[Content]:
    interval, near = entry["interval"], entry["within_noise"]
    told = None if near is None or entry["rank"] == 1 else "no" if near else "yes"
    return [
        str(entry["rank"]),
        link(f"version {entry['version']}", f"/models/{entry['version']}"),
        entry["estimator"],
        measure(entry["score"]),
        None if interval is None else f"{measure(interval[0])} to {measure(interval[1])}",
        told,
    ]


def _basis(measured_on: str) -> str:
    return ", the mean of the folds" if measured_on == "folds" else ""
