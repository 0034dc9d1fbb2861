"""From which probability on the positive label is said, and what other thresholds would give."""

from api.pages.charts.axes import axis_of, of_metric, shares
from api.pages.charts.plane import Polyline, Reference, lines
from api.pages.markup import Content, Html, element, facts
from api.pages.measures import measure
from api.pages.report.parts import Section, beside, named, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.threshold_told import ThresholdTold


def threshold(report: ModelReport) -> Section | None:
    """The threshold, where the labels are not left to the estimator."""
    found = report.threshold
    if found is None:
        return None
    what = facts(
        ("Positive label", named(found.positive)),
        ("Said from a probability of", f"{found.value:.6g}"),
        ("Chosen for", found.chosen_for),
        ("On", None if found.rows is None else f"{found.rows:,} rows of the folds"),
    )
    scores = _scores(found)
    return section(
        "threshold",
        "When the positive label is said",
        element("p", "All labels follow from this threshold. Probabilities and intervals are as they are without it."),
        beside(_curve(found), element("div", what, scores)),
    )


def _curve(found: ThresholdTold) -> Html | None:
    curve, name = found.curve, found.score_name
    if curve is None or name is None or not curve.scores:
        return None
    y = axis_of(name, [0.0, *curve.scores]) if name.startswith("cost") else of_metric(name, curve.scores)
    return lines(
        "Over thresholds",
        f"{name} over thresholds from 0 to 1; the upright line is the chosen one, {found.value:.6g}",
        [Polyline(curve.thresholds, curve.scores)],
        x=shares("threshold"),
        y=y,
        reference=Reference((found.value, y.low), (found.value, y.high)),
    )


def _scores(found: ThresholdTold) -> Html | None:
    name = found.score_name
    if name is None:
        return None
    rows: list[list[Content]] = [
        ["folds", measure(found.score), measure(found.score_at_half)],
        ["test", measure(found.test_score), measure(found.test_score_at_half)],
    ]
    return numbers(name, ["Rows", f"At {found.value:.4g}", "At 0.5"], rows)
