"""What the columns do: how much they matter, how the answers follow their values, and what became of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from api.pages.charts.axes import Axis, axis_of, fitting, moments, pictures
from api.pages.charts.plane import Polyline, lines
from api.pages.charts.rows import Row, bars, dots
from api.pages.markup import Content, Html, element, together
from api.pages.measures import measure
from api.pages.report.parts import Section, beside, folded, legend, named, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.assessment import PartialDependence
from shared.tables.columns import ColumnKind

# More bars make no picture.
_MOST_BARS = 20
_LEAST_PLACES = 2


def importance(report: ModelReport) -> Section | None:
    """How much worse the model becomes without what each column tells."""
    if not report.importance:
        return None
    metric = report.main_metric or "the main metric"
    drawn = report.importance[:_MOST_BARS]
    first = drawn[0]
    picture = bars(
        "Importance of columns",
        f"Importance of {len(drawn)} columns; the most has {first.column} with {measure(first.mean)}",
        [Row(each.column, [each.mean], each.std) for each in drawn],
        axis_name=f"how much worse {metric} becomes",
    )
    rows: list[list[Content]] = [[each.column, measure(each.mean), measure(each.std)] for each in report.importance]
    told = (
        f"So much worse {metric} becomes when the values of one column are shuffled over the test rows. About 0 is a "
        "column that the model can do without, or that another one stands in for."
    )
    table = numbers("Importance, with its deviation over the shuffles", ["Column", "Mean", "Deviation"], rows)
    return section("importance", "Which columns matter", element("p", told), beside(picture, table))


def dependence(report: ModelReport) -> Section | None:
    """What the model says when all rows have the same value in a column."""
    groups = [(name, list(each)) for name, each in groupby(report.partial_dependence, lambda each: each.column)]
    if not groups:
        return None
    told = (
        "What the model says on average when all rows have the same value in one column. It shows what the model does, "
        "not what causes what; values that never come together with others may mislead."
    )
    # One axis for all: what follows a column little looks flat beside what follows it much.
    axis = axis_of(_said(report), [mean for each in report.partial_dependence for mean in each.means])
    kinds = {each.column: each.kind for each in report.columns}
    parts = [_column(name, each, axis, kinds) for name, each in groups]
    return section(
        "dependence",
        "How answers follow a column",
        element("p", told),
        pictures(*(picture for picture, _ in parts)),
        *(table for _, table in parts),
    )


def _said(report: ModelReport) -> str:
    labels = list(dict.fromkeys(named(each.label) for each in report.partial_dependence))
    if report.task == "regression":
        return "mean prediction"
    return f"mean probability of {labels[0]}" if len(labels) == 1 else "mean probability"


def _column(
    name: str, found: Sequence[PartialDependence], axis: Axis, kinds: Mapping[str, ColumnKind]
) -> tuple[Html, Html]:
    values, kind = found[0].values, kinds.get(name)
    labels = [named(each.label) for each in found]
    means = [mean for each in found for mean in each.means]
    told = f"{axis.name} by {name}: from {measure(min(means, default=0.0))} to {measure(max(means, default=0.0))}"
    across = _across(fitting(name), values, kind)
    if across is not None:
        x, xs = across
        drawn = [Polyline(xs, each.means) for each in found]
        picture = lines(named(name), told, drawn, x=x, y=axis, dots=True)
    else:
        rows = [Row(named(value), [each.means[at] for each in found]) for at, value in enumerate(values)]
        picture = dots(named(name), told, rows, axis=axis)
    shown = picture if len(found) == 1 else element("div", picture, legend(labels))
    heads = [axis.name] if len(found) == 1 else labels
    cells: list[list[Content]] = [
        [named(value), *(measure(each.means[at]) for each in found)] for at, value in enumerate(values)
    ]
    return shown, folded(f"{axis.name} by {named(name)}", [named(name), *heads], cells)


def _across(name: str, values: Sequence[Any], kind: ColumnKind | None) -> tuple[Axis, list[float]] | None:
    """Where values are on the axis below; None for words, and for a single value, which make no line."""
    if len(values) < _LEAST_PLACES:
        return None
    if kind is ColumnKind.DATETIME:
        seconds = [datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() for value in values]
        return moments(name, seconds), seconds
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return axis_of(name, values), list(values)
    return None


def treatments(report: ModelReport) -> Section | None:
    """What was done to each column of the table."""
    rows: list[list[Content]] = [
        [each.column, each.kind.value, each.role.replace("_", " "), each.treatment] for each in report.columns
    ]
    if not rows:
        return None
    table = numbers("What was done to each column", ["Column", "Kind", "Seen as", "Treatment"], rows)
    return section("columns", "Columns", together(table))
