"""Where a model stands: its metrics with what they may be off, beside what no model at all would reach."""

from typing import Any

from api.pages.charts.axes import Axis, axis_of, shares
from api.pages.charts.rows import strip
from api.pages.markup import Content, Html, element, together
from api.pages.measures import better, measure
from api.pages.report.parts import Section, numbers, section
from api.schemas.model_reports import ModelReport


def standing(report: ModelReport) -> Section | None:
    """Each metric with its interval and its baseline, as numbers and on an axis of its own."""
    if not report.metrics:
        return None
    baseline = (report.baseline or {}).get("metrics", {})
    rows = [_row(name, value, report, baseline.get(name)) for name, value in report.metrics.items()]
    names = ["Metric", "Value", "95 % interval", "Baseline", "Picture", "Better"]
    return section("metrics", "How well it does", _explained(report), numbers("Metrics", names, rows))


def _explained(report: ModelReport) -> Html:
    sentences = ["The baseline looks at no column: a model that is not clearly better has learned nothing."]
    if report.intervals:
        sentences.append("The interval holds the metric in 95 of 100 draws of test rows: the fewer rows, the wider.")
        sentences.append("In the pictures the dot is the metric, whiskers its interval, the upright mark the baseline.")
    if report.main_metric:
        sentences.append(f"Importances and worst rows are about {report.main_metric}.")
    return element("p", " ".join(sentences))


def _row(name: str, value: Any, report: ModelReport, baseline: Any) -> list[Content]:
    interval = report.intervals.get(name)
    told = (
        None
        if interval is None
        else f"{measure(interval[0])}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{measure(interval[1])}"
    )
    return [name, measure(value), told, measure(baseline), _picture(name, value, interval, baseline), better(name)]


def _picture(name: str, value: Any, interval: tuple[float, float] | None, baseline: Any) -> Html | None:
    if not _is_number(value):
        return None
    other = float(baseline) if _is_number(baseline) else None
    told = f"{name} {measure(value)}"
    if interval is not None:
        told += f", from {measure(interval[0])} to {measure(interval[1])}"
    if other is not None:
        told += f"; baseline {measure(other)}"
    shown = [float(value), *(interval or ()), *([] if other is None else [other])]
    return strip(told, float(value), interval, other, _axis(shown))


def _axis(values: list[float]) -> Axis:
    within = all(0 <= value <= 1 for value in values)
    return shares("") if within else axis_of("", [0.0, *values])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def doubts(report: ModelReport) -> Section | None:
    """What makes the metrics doubtful, what was left out, and what scikit-learn said."""
    notes = [element("li", note) for note in report.notes]
    warned = [element("li", warning) for warning in report.warnings]
    return section(
        "notes",
        "Notes and doubts",
        element("ul", *notes) if notes else None,
        together(element("p", "scikit-learn warned while the model was fitted:"), element("ul", *warned))
        if warned
        else None,
    )
