"""The page of a report: what the model is and where it stands first, what was done to its columns last."""

from typing import Any

from fastapi.responses import HTMLResponse

from api.pages.frame import page, shown_time
from api.pages.leaderboard import rank
from api.pages.markup import Html, element, facts, link
from api.pages.measures import row_counts
from api.pages.report import columns, labels, residuals, rows, search, standing
from api.pages.report.learning import learning
from api.pages.report.parts import Section, named
from api.pages.report.pin import pinned
from api.pages.report.threshold import threshold
from api.schemas.model_reports import ModelReport


def page_of_report(report: ModelReport) -> HTMLResponse:
    """All sections that the model has."""
    found = (
        standing.standing(report),
        standing.doubts(report),
        columns.importance(report),
        labels.confusion(report),
        threshold(report),
        residuals.residuals(report),
        labels.curves(report),
        columns.dependence(report),
        rows.slices(report),
        rows.worst(report),
        search.search(report),
        rows.folds(report),
        learning(report),
        rows.uncertainty(report),
        columns.treatments(report),
        rows.costs(report),
        pinned(report),
    )
    shown = [section for section in found if section is not None]
    parts = [part for each in shown for part in (element("h2", each.title, id=each.anchor), each.contents)]
    return page(f"Report of model {report.version}", _what(report), _places(shown), *parts)


def _what(report: ModelReport) -> Html:
    return facts(
        ("Model", link(f"version {report.version}", f"/models/{report.version}")),
        ("Dataset", f"{report.dataset_name}, version {report.dataset_version}"),
        ("Predicts", report.target),
        ("Estimator", report.estimator),
        ("Task", report.task),
        ("Rows", row_counts(report.rows)),
        ("Split", _split(report.split)),
        ("Trained", shown_time(report.trained_at)),
        ("Made by", link(f"job {str(report.job_id)[:8]}", f"/jobs/{report.job_id}")),
        ("Rank in that job", None if report.standing is None else rank(report.standing)),
    )


def _split(split: dict[str, Any] | None) -> str | None:
    if not split:
        return None
    return ", ".join(
        name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {named(value)}"
        for name, value in split.items()
        if value not in (None, False)
    )


def _places(sections: list[Section]) -> Html:
    """Links to the sections, of which a report has many."""
    items = [element("li", link(each.title, f"#{each.anchor}")) for each in sections]
    return element("nav", element("ul", *items), aria_label="Sections")
