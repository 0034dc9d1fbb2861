"""Numbers of models and columns in words, as several pages show them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.pages.markup import Content, Html, element, table, together
from shared.evaluation.metric_names import BETTER

# A larger number is read by its exponent.
_LARGEST = 1e12


def measures(metrics: Mapping[str, Any], baseline: Mapping[str, Any]) -> Html | None:
    """Each metric, with what a model that looks at no column would reach beside it."""
    rows: list[list[Content]] = [[name, measure(value), measure(baseline.get(name))] for name, value in metrics.items()]
    return table("Metrics", ["Metric", "Value", "Baseline"], rows) if rows else None


def measure(value: Any) -> str | None:
    """A metric with the digits that matter to a reader."""
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:,.0f}" if 10_000 <= abs(value) < _LARGEST else f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False)


def better(metric: str) -> str | None:
    """Whether higher or lower values of a metric are better, in a word; None where that is not known."""
    return None if metric not in BETTER else "higher" if BETTER[metric] is max else "lower"


def row_counts(counts: Mapping[str, int] | None) -> str | None:
    """How many rows a training used, and for what."""
    if counts is None:
        return None
    text = f"{counts.get('training', 0):,} to learn from, {counts.get('test', 0):,} to measure on"
    dropped = counts.get("without_target", 0)
    return f"{text}; {dropped:,} without a target left out" if dropped else text


def value_range(low: float | None, mean: float | None, high: float | None) -> str | None:
    """The lowest value of a column, the mean if there is one, and the highest."""
    if low is None or high is None:
        return None
    return ", ".join(f"{value:.6g}" for value in (low, mean, high) if value is not None)


def doubts(notes: Sequence[str]) -> Html | None:
    """What makes the metrics doubtful, and what else is worth saying."""
    if not notes:
        return None
    return together(element("h2", "Notes"), element("ul", *(element("li", note) for note in notes)))


def left_out(columns: Iterable[tuple[str, str]]) -> Html | None:
    """The columns that the model does not use, each with the reason."""
    rows: list[list[Content]] = [[column, reason] for column, reason in columns]
    return table("Columns that were left out", ["Column", "Why"], rows) if rows else None
