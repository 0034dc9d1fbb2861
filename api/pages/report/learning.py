"""How well the model does with fewer rows."""

from api.pages.charts.axes import axis_of, of_metric
from api.pages.charts.plane import Polyline, lines
from api.pages.markup import Content, Html, element
from api.pages.measures import measure
from api.pages.report.parts import Section, beside, legend, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.assessment import LearningCurve

_NAMES = ("rows that it learnt from", "rows that it has not seen")


def learning(report: ModelReport) -> Section | None:
    """The metric by the number of rows to learn from."""
    found = report.learning_curve
    if found is None:
        return None
    told = (
        "Models that learnt from fewer rows, over the folds. If the line of the rows that were not seen still gets "
        "better at its end, more rows would help. If both lines have met at a bad score, other columns or another "
        "estimator would; if they stay far apart, the model learns by heart."
    )
    rows: list[list[Content]] = [
        [
            f"{each.rows:,}",
            *(measure(value) for part in (each.training, each.validation) for value in (part.mean, part.std)),
            f"{each.folds}",
        ]
        for each in found.points
    ]
    heads = ["Rows", "Learnt from", "Deviation", "Not seen", "Deviation", "Folds"]
    table = numbers(f"{found.metric} by rows to learn from", heads, rows)
    return section("learning", "Whether more rows would help", element("p", told), beside(_picture(found), table))


def _picture(found: LearningCurve) -> Html:
    xs = [float(each.rows) for each in found.points]
    drawn = [[each.training.mean for each in found.points], [each.validation.mean for each in found.points]]
    last = found.points[-1]
    picture = lines(
        "Learning curve",
        f"{found.metric} by rows to learn from; of {last.rows:,} rows {measure(last.training.mean)} on those, and "
        f"{measure(last.validation.mean)} on rows that were not seen",
        [Polyline(xs, ys) for ys in drawn],
        x=axis_of("rows to learn from", [0.0, *xs]),
        y=of_metric(found.metric, [value for ys in drawn for value in ys]),
        dots=True,
    )
    return element("div", picture, legend(_NAMES))
