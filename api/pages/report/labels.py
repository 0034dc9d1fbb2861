"""What a classifier does with each label."""

from api.pages.charts.axes import pictures, shares
from api.pages.charts.matrix import matrix
from api.pages.charts.plane import DIAGONAL, Polyline, Reference, lines
from api.pages.markup import Content, Html, element
from api.pages.measures import measure
from api.pages.report.parts import Section, folded, key, named, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.assessment import Curves


def confusion(report: ModelReport) -> Section | None:
    """Which label is taken for which, and how well each is found."""
    found = report.confusion_matrix
    left_out = found.left_out if found is not None else 0
    rows: list[list[Content]] = [
        [named(each.label), measure(each.precision), measure(each.recall), measure(each.f1), f"{each.support:,}"]
        for each in report.per_class
    ]
    return section(
        "labels",
        "What is taken for what",
        element(
            "p",
            "The more colour in a cell, the more of the rows of its label are there: best is the diagonal alone.",
        )
        if found is not None
        else None,
        element("p", f"{left_out:,} test rows of labels that are too many to be shown are left out.")
        if left_out
        else None,
        pictures(
            matrix("Confusion matrix", [named(label) for label in found.labels], found.counts)
            if found is not None
            else None,
            numbers("How well each label is found", ["Label", "Precision", "Recall", "F1", "Test rows"], rows)
            if rows
            else None,
        ),
    )


def curves(report: ModelReport) -> Section | None:
    """Curves over all thresholds, and whether probabilities are what they say."""
    found = report.curves
    if found is None or not (found.roc or found.precision_recall or found.calibration):
        return None
    return section(
        "curves",
        "Curves",
        element(
            "p",
            "A curve is of one label against all others. Guessing gives the broken line of the first picture, and the "
            "one of the second if it is drawn; probabilities that can be believed lie near that of the third.",
        ),
        pictures(_roc(found), _precision_recall(found, report), _calibration(found), _areas(found)),
        _bins(found),
    )


def _roc(found: Curves) -> Html | None:
    if not found.roc:
        return None
    told = "; ".join(f"{named(each.label)}: area {measure(each.area)}" for each in found.roc)
    return lines(
        "ROC",
        f"ROC curves. {told}",
        [Polyline(each.false_positive_rate, each.true_positive_rate) for each in found.roc],
        x=shares("share of others that are taken for it"),
        y=shares("share of its rows that are found"),
        reference=DIAGONAL,
    )


def _precision_recall(found: Curves, report: ModelReport) -> Html | None:
    drawn = found.precision_recall
    if not drawn:
        return None
    told = "; ".join(f"{named(each.label)}: average precision {measure(each.average_precision)}" for each in drawn)
    return lines(
        "Precision and recall",
        f"Precision-recall curves. {told}",
        [Polyline(each.recall, each.precision) for each in drawn],
        x=shares("recall"),
        y=shares("precision"),
        reference=_base_rate(found, report),
    )


def _base_rate(found: Curves, report: ModelReport) -> Reference | None:
    """The share of rows that have the label, which is the precision of guessing; of one label only."""
    if len(found.precision_recall) != 1:
        return None
    label, total = found.precision_recall[0].label, sum(each.support for each in report.per_class)
    support = sum(each.support for each in report.per_class if each.label == label)
    return Reference((0, support / total), (1, support / total)) if total else None


def _calibration(found: Curves) -> Html | None:
    if not found.calibration:
        return None
    names = ", ".join(named(each.label) for each in found.calibration)
    return lines(
        "Calibration",
        f"Calibration curves of {names}: the share of rows that have the label, by the probability that is said",
        [Polyline(each.predicted, each.observed) for each in found.calibration],
        x=shares("probability that is said"),
        y=shares("share of rows that have the label"),
        reference=DIAGONAL,
        dots=True,
    )


def _areas(found: Curves) -> Html:
    drawn = (found.roc, found.precision_recall, found.calibration)
    labels = list(dict.fromkeys(each.label for curves_of_kind in drawn for each in curves_of_kind))
    areas = {each.label: each.area for each in found.roc}
    precisions = {each.label: each.average_precision for each in found.precision_recall}
    rows: list[list[Content]] = [
        [named(label), key(at), measure(areas.get(label)), measure(precisions.get(label))]
        for at, label in enumerate(labels)
    ]
    return numbers("Areas below the curves", ["Label", "Line", "Area below ROC", "Average precision"], rows)


def _bins(found: Curves) -> Html | None:
    rows: list[list[Content]] = [
        [named(each.label), measure(said), measure(seen), f"{count:,}"]
        for each in found.calibration
        for said, seen, count in zip(each.predicted, each.observed, each.rows, strict=False)
    ]
    return folded("Calibration in bins", ["Label", "Said", "Observed", "Test rows"], rows) if rows else None
