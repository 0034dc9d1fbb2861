"""Models as pages."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi.responses import HTMLResponse

from api.http.pagination import Page
from api.pages.filters import address, choice, chosen_ones, next_page
from api.pages.frame import page, shown_time
from api.pages.markup import Content, Html, element, facts, link, shortened, table
from api.pages.measures import doubts, left_out, measure, measures, row_counts
from api.schemas.models import Model
from shared.training.treatment import Treatment

_PATH = "/models"
_NAMES = ["Model", "Dataset", "Predicts", "Estimator", "Active in", "Metric", "Trained"]
# The filters that have no list of all their values: each stands above the list while it is chosen.
_CHOSEN = {"dataset_name": "Dataset", "target": "Target", "estimator": "Estimator", "tag": "Tag"}
# The most columns of a table, and values of a column, that a page shows; JSON has all.
_MOST_COLUMNS = 100
_MOST_VALUES = 10
_LONGEST_VALUE = 40


def page_of_models(
    models: Page[Model], filters: Mapping[str, str | None], *, sort: str | None, stages: Sequence[str]
) -> HTMLResponse:
    """Some models, the newest or the best first, with links that narrow the list."""
    chosen = {name: value for name, value in {**filters, "sort": sort}.items() if value is not None}
    caption = "The newest first" if sort is None else f"The best by {sort} first"
    rows = [_row(model, chosen) for model in models.items]
    return page(
        "Models",
        choice("Stage", "stage", stages, path=_PATH, chosen=chosen),
        *chosen_ones(_CHOSEN, path=_PATH, chosen=chosen),
        choice("Best by", "sort", [sort], path=_PATH, chosen=chosen, without="none") if sort else None,
        element("p", "Metrics are compared within one dataset only.")
        if sort and "dataset_name" not in chosen
        else None,
        table(caption, _NAMES, rows) if rows else element("p", "There are no such models."),
        next_page("More models", models.next_cursor, path=_PATH, chosen=chosen),
    )


def page_of_model(model: Model) -> HTMLResponse:
    """One model: where it serves, how well it does, and what it was made from."""
    here = f"{_PATH}/{model.version}"
    report = model.report
    treatments = {each["column"]: Treatment.model_validate(each) for each in report.get("columns", [])}
    return page(
        f"Model {model.version}",
        facts(
            ("Dataset", f"{model.dataset_name}, version {model.dataset_version}"),
            ("Predicts", model.target),
            ("Labels", _values(model.signature.get("classes"))),
            ("Estimator", model.estimator),
            ("Compiled", "no" if model.compilation is None else model.compilation.detail),
            ("Rows", row_counts(report.get("rows"))),
            ("Report", link("how well it does, with pictures", f"{here}/report")),
            ("Furthest stage", model.stage),
            ("Trained", shown_time(model.trained_at)),
            ("Tags", ", ".join(model.tags)),
            ("Note", model.note),
            ("Made by", link(f"job {str(model.job_id)[:8]}", f"/jobs/{model.job_id}")),
            ("File", link(model.artifact_path, f"{here}/artifact")),
            ("SHA-256", element("code", model.sha256)),
        ),
        measures(model.metrics, report.get("baseline", {}).get("metrics", {})),
        doubts(report.get("notes", [])),
        left_out(_reasons(treatments.values())),
        table("Where it is or was active", ["Stage", "Since", "Retired", "Why"], [*_stays(model)]),
        *_inputs(model.signature["inputs"], treatments),
        table("Parameters", ["Parameter", "Value"], [*_pairs(model.parameters)]) if model.parameters else None,
    )


def _row(model: Model, chosen: Mapping[str, str]) -> list[Content]:
    metrics = model.metrics
    name = chosen.get("sort") or next(iter(metrics), None)
    return [
        link(str(model.version), f"{_PATH}/{model.version}"),
        link(model.dataset_name, address(_PATH, {**chosen, "dataset_name": model.dataset_name})),
        model.target,
        model.estimator.rpartition(".")[2],
        ", ".join(stay.stage for stay in model.deployments if stay.active),
        None if name is None else f"{name} {measure(metrics.get(name))}",
        shown_time(model.trained_at),
    ]


def _reasons(treatments: Iterable[Treatment]) -> Iterator[tuple[str, str]]:
    unused = [(each.column, each.reason) for each in treatments if each.role == "left_out"]
    yield from unused[:_MOST_COLUMNS]
    if len(unused) > _MOST_COLUMNS:
        yield f"{len(unused) - _MOST_COLUMNS:,} more", ""


def _inputs(inputs: Sequence[Mapping[str, Any]], treatments: Mapping[str, Treatment]) -> Iterator[Html]:
    names = ["Column", "Kind", "May be missing", "Categories", "Treatment"]
    rows: list[list[Content]] = [
        [
            column["name"],
            column["kind"],
            "yes" if column["missing_allowed"] else "no",
            _values(column.get("categories")),
            treatments[column["name"]].treatment if column["name"] in treatments else None,
        ]
        for column in inputs[:_MOST_COLUMNS]
    ]
    yield table("What it takes, in the order of features", names, rows)
    more = len(inputs) - _MOST_COLUMNS
    if more > 0:
        yield element("p", f"{more:,} more columns are in the JSON at this address.")


def _values(values: Sequence[Any] | None) -> str | None:
    """The first of many labels or categories, and how many more there are."""
    if values is None:
        return None
    shown = (value if isinstance(value, str) else json.dumps(value) for value in values[:_MOST_VALUES])
    text = ", ".join(each if len(each) <= _LONGEST_VALUE else f"{each[:_LONGEST_VALUE]}…" for each in shown)
    more = len(values) - _MOST_VALUES
    return f"{text} and {more:,} more" if more > 0 else text


def _stays(model: Model) -> list[list[Content]]:
    return [
        [
            stay.stage,
            shown_time(stay.created_at),
            shown_time(stay.retired_at),
            stay.retired_reason,
        ]
        for stay in model.deployments
    ]


def _pairs(values: dict[str, Any]) -> list[list[Content]]:
    return [[name, json.dumps(shortened(value), ensure_ascii=False)] for name, value in values.items()]
