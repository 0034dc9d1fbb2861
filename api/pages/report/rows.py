"""Where a model does worse, whether it does so by luck, and what it takes."""

from itertools import groupby

from api.pages.charts.axes import Axis, of_metric, pictures
from api.pages.charts.rows import Row, dots
from api.pages.markup import Content, Html, element, facts
from api.pages.measures import measure
from api.pages.report.parts import Section, all_names, named, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.assessment import Slice

_MOST_VALUES = 12
_MICROSECONDS, _MILLISECONDS = 1e6, 1e3
_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes"))


def slices(report: ModelReport) -> Section | None:
    """The metrics by value of the columns that matter most."""
    if not report.slices:
        return None
    names = all_names([each.metrics for each in report.slices])
    rows: list[list[Content]] = [
        [named(each.column), named(each.value), f"{each.rows:,}", *(measure(each.metrics.get(name)) for name in names)]
        for each in report.slices
    ]
    groups = [(column, list(each)) for column, each in groupby(report.slices, lambda each: each.column)]
    metric, overall = report.main_metric or "", report.metrics.get(report.main_metric or "")
    against = float(overall) if isinstance(overall, int | float) else None
    values = [each.metrics[metric] for each in report.slices if metric in each.metrics]
    axis = of_metric(metric, values if against is None else [*values, against])
    return section(
        "slices",
        "Where it does better and worse",
        element("p", "The broken line is the metric of all test rows. Of few rows, a metric is a rough estimate."),
        pictures(*(_picture(column, each, axis, against) for column, each in groups)),
        numbers("Metrics by values of a column", ["Column", "Value", "Test rows", *names], rows),
    )


def _picture(column: str, found: list[Slice], axis: Axis, against: float | None) -> Html | None:
    metric = axis.name
    shown = [each for each in found if metric in each.metrics][:_MOST_VALUES]
    if not shown:
        return None
    told = "; ".join(f"{named(each.value)}: {measure(each.metrics[metric])}" for each in shown)
    rows = [Row(named(each.value), [each.metrics[metric]]) for each in shown]
    return dots(named(column), f"{metric} by {column}. {told}", rows, axis=axis, at=against)


def worst(report: ModelReport) -> Section | None:
    """The rows that are most wrong."""
    if not report.worst_rows:
        return None
    names = list(dict.fromkeys(name for each in report.worst_rows for name in each.values))
    rows: list[list[Content]] = [
        [
            f"{each.row:,}",
            named(each.actual),
            named(each.predicted),
            measure(each.error),
            *(named(each.values[name]) if name in each.values else None for name in names),
        ]
        for each in report.worst_rows
    ]
    told = (
        "The test rows that are most wrong, the worst first; the numbers count the rows of the table from 1. Look "
        "whether the row or the model is at fault."
    )
    heads = ["Row", "Actual", "Predicted", "Error", *map(named, names)]
    return section("worst", "The worst rows", element("p", told), numbers("Worst rows", heads, rows))


def folds(report: ModelReport) -> Section | None:
    """How much the metrics depend on which rows are learned from."""
    if not report.folds and not report.spread:
        return None
    names = all_names([*(each.metrics for each in report.folds), dict.fromkeys(report.spread, 0.0)])
    rows: list[list[Content]] = [
        [str(at), f"{each.training:,}", f"{each.test:,}", *(measure(each.metrics.get(name)) for name in names)]
        for at, each in enumerate(report.folds, start=1)
    ]
    if report.spread:
        spread = [report.spread.get(name) for name in names]
        rows.append(["Mean", None, None, *(None if each is None else measure(each.mean) for each in spread)])
        rows.append(["Deviation", None, None, *(None if each is None else measure(each.std) for each in spread)])
    told = (
        "The same model, fitted on parts of the training rows and measured on the rest of them: a large deviation says "
        "that it depends on which rows it learned from."
    )
    heads = ["Fold", "Rows learned from", "Rows measured on", *names]
    return section("folds", "Folds", element("p", told), numbers("Metrics of each fold", heads, rows))


def uncertainty(report: ModelReport) -> Section | None:
    """What is promised of the interval of a prediction, and what came of it."""
    found = report.uncertainty
    if found is None:
        return None
    numbers_asked = report.task == "regression"
    return section(
        "uncertainty",
        "What the interval of a prediction is worth",
        facts(
            ("Promised", f"the truth is inside for {found.level:.0%} of rows"),
            ("On the test rows", f"it is inside for {found.coverage:.1%}"),
            ("Reaches to either side" if numbers_asked else "Least probability", measure(found.margin)),
            ("Mean length" if numbers_asked else "Mean number of labels", measure(found.size)),
            ("Learned from", f"{found.rows:,} rows"),
        ),
    )


def costs(report: ModelReport) -> Section | None:
    """What the model takes."""
    found = report.costs
    fit = found.fit_seconds if found is not None else report.fit_seconds
    if fit is None:
        return None
    return section(
        "costs",
        "What it takes",
        facts(
            ("Fitted in", _lasting(fit)),
            ("One row", None if found is None else _lasting(found.row_seconds)),
            ("Timed", None if found is None else "its compiled form" if found.compiled else "scikit-learn's own model"),
            ("Memory of its training", None if found is None else _sized(found.peak_memory_bytes, "at its peak")),
            ("File", None if found is None else _sized(found.artifact_bytes)),
            ("Compiled form", None if found is None else _sized(found.form_bytes)),
        ),
        element(
            "p",
            "The memory is that of the whole process at its fullest, with libraries and table, while this model was "
            "trained and looked at.",
        )
        if found is not None and found.peak_memory_bytes is not None
        else None,
    )


def _sized(count: int | None, of: str = "") -> str | None:
    """Bytes in the unit that suits them."""
    if count is None:
        return None
    unit = next((unit for unit in _UNITS if count >= unit[0]), _UNITS[-1])
    return f"{count / unit[0]:,.3g} {unit[1]} {of}".rstrip()


def _lasting(seconds: float) -> str:
    if seconds < 1 / _MILLISECONDS:
        return f"{seconds * _MICROSECONDS:.3g} µs"
    return f"{seconds * _MILLISECONDS:.3g} ms" if seconds < 1 else f"{seconds:,.3g} s"
