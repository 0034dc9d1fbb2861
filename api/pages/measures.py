"""How well a model does and what it was not given, as its page and the page of its job tell it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.pages.markup import Content, Html, element, table, together

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


def doubts(notes: Sequence[str]) -> Html | None:
    """What makes the metrics doubtful, and what else is worth saying."""
    if not notes:
        return None
    return together(element("h2", "Notes"), element("ul", *(element("li", note) for note in notes)))


def left_out(columns: Iterable[tuple[str, str]]) -> Html | None:
    """The columns that the model does not use, each with the reason."""
    rows: list[list[Content]] = [[column, reason] for column, reason in columns]
    return table("Columns that were left out", ["Column", "Why"], rows) if rows else None
