"""How far the numbers of a regressor are off."""

from api.pages.charts.axes import pictures
from api.pages.charts.plane import counted, points
from api.pages.markup import Content, element
from api.pages.measures import measure
from api.pages.report.parts import Section, numbers, section
from api.schemas.model_reports import ModelReport


def residuals(report: ModelReport) -> Section | None:
    """The distances of the test rows, as pictures and quantiles."""
    found = report.residuals
    if found is None:
        return None
    rows: list[list[Content]] = [
        [f"{100 * float(share):g} of 100", measure(distance)] for share, distance in found.quantiles.items()
    ]
    which = "little" if found.mean > 0 else "much"
    on_average = f"On average the model says {measure(abs(found.mean))} too {which}." if found.mean else None
    return section(
        "residuals",
        "How far it is off",
        element("p", "A good model has its points near the diagonal, and its residuals in one heap around 0."),
        element("p", on_average) if on_average else None,
        pictures(
            points(
                "Predicted and actual",
                f"Actual against predicted numbers of {len(found.points):,} test rows",
                found.points,
                x_name="predicted",
                y_name="actual",
            )
            if found.points
            else None,
            counted(
                "Residuals",
                f"Counts of test rows by actual less predicted number, which is {measure(found.mean)} on average",
                found.edges,
                found.counts,
                x_name="actual less predicted",
                y_name="test rows",
            )
            if found.counts
            else None,
        ),
        numbers("So many test rows are off by at most", ["Test rows", "Off by at most"], rows) if rows else None,
    )
