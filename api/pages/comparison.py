"""Several models side by side, as a page: what differs comes first."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.responses import HTMLResponse

from api.pages.charts.axes import of_metric, pictures
from api.pages.charts.rows import Ranged, ranges
from api.pages.frame import page
from api.pages.markup import Content, Html, element, shortened, table
from api.pages.measures import better, measure
from api.pages.report.parts import folded
from api.schemas.models import ComparedMetric, ComparedValue, Comparison

# By version and metric, the range that holds the metric in most draws of test rows.
Intervals = Mapping[int, Mapping[str, tuple[float, float]]]


def page_of_comparison(compared: Comparison, intervals: Intervals) -> HTMLResponse:
    """Metrics with their intervals as pictures, then facts and parameters, those that differ before the others."""
    versions = compared.versions
    metrics = [_measured(each, versions) for each in compared.metrics]
    return page(
        f"Models {', '.join(map(str, versions))}",
        element("h2", "How well they do"),
        element("p", _explained(compared, intervals)),
        pictures(*(_picture(metric, versions, intervals) for metric in compared.metrics)),
        table("Metrics", ["Metric", "Better", *_heads(versions)], metrics) if metrics else None,
        *_values("Facts", compared.facts, versions),
        *_values("Parameters", compared.parameters, versions),
    )


def _explained(compared: Comparison, intervals: Intervals) -> str:
    if any(each.differs for each in compared.metrics) and not any(each.best for each in compared.metrics):
        return (
            "They were measured on different rows, or do not predict the same: a better metric does not mean a better "
            "model."
        )
    if not any(intervals.get(version) for version in compared.versions):
        return "A dot is the metric."
    return (
        "A dot is the metric, whiskers are the range that holds it in 95 of 100 draws of test rows: where those of two "
        "models overlap, the rows do not tell the two apart."
    )


def _picture(metric: ComparedMetric, versions: Sequence[int], intervals: Intervals) -> Html | None:
    rows = [
        Ranged(f"model {version}", float(value), intervals.get(version, {}).get(metric.name))
        for version, value in zip(versions, metric.values, strict=True)
        if isinstance(value, int | float)
    ]
    if not rows:
        return None
    ends = [end for row in rows for end in (row.value, *(row.range or ()))]
    told = "; ".join(f"{row.name}: {measure(row.value)}" for row in rows)
    return ranges(metric.name, f"{metric.name}. {told}", rows, axis=of_metric(metric.name, ends))


def _measured(metric: ComparedMetric, versions: Sequence[int]) -> list[Content]:
    values: list[Content] = [
        element("strong", f"{measure(value)}, best") if version in metric.best else measure(value)
        for version, value in zip(versions, metric.values, strict=True)
    ]
    return [metric.name, better(metric.name), *values]


def _values(title: str, values: Sequence[ComparedValue], versions: Sequence[int]) -> Iterable[Html]:
    """What differs as a table, and what is the same folded below it."""
    different = [each for each in values if each.differs]
    same = [each for each in values if not each.differs]
    yield element("h2", title)
    if different:
        yield table(f"{title} that differ", ["Name", *_heads(versions)], [_row(each) for each in different])
    elif same:
        yield element("p", "All are the same.")
    else:
        yield element("p", "There are none.")
    if same:
        rows: list[list[Content]] = [[each.name, _text(each.values[0])] for each in same]
        yield folded(f"{title} that are the same", ["Name", "Value"], rows)


def _row(value: ComparedValue) -> list[Content]:
    return [element("strong", value.name), *map(_text, value.values)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(shortened(value), ensure_ascii=False)


def _heads(versions: Sequence[int]) -> list[str]:
    return [f"Model {version}" for version in versions]
