"""A search on the page of a report, at a terminal, and in the options that ask for one."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.pages.report.whole import page_of_report
from api.schemas.model_reports import ModelReport
from cli.actions.training import training_request
from cli.client.errors import WrongUsage
from cli.render.report import model_report
from shared.evaluation.assessment import Assessment
from tests.support.assessments import METRICS, document_of, of_labels, searched

PIN = {
    "dataset_version": 2,
    "dataset_sha256": "ab" * 32,
    "request": {},
    "libraries": {},
    "machine": None,
    "threads": None,
    "golden_rows": 0,
    "recipe": 2,
}
MARKUP = "<script>alert('x')</script>"


def page_of(assessment: Assessment) -> str:
    report = ModelReport.model_validate(document_of(assessment, METRICS, {}) | {"pin": PIN})
    return bytes(page_of_report(report).body).decode()


def test_the_page_tells_of_the_search_and_of_what_failed() -> None:
    page = page_of(of_labels("a", "b").model_copy(update={"search": searched({"criterion": MARKUP})}))
    section = page.partition('id="search"')[2].partition("<h2")[0]
    assert "How its parameters were sought" in page
    for told in ("random", "4 of 5, of which 1 failed", "61.5 s, and was ended by its time", "0.8912", "<svg"):
        assert told in section
    assert "No such tree &lt;b&gt;grows&lt;/b&gt;." in section
    assert MARKUP not in page


def test_a_page_of_very_many_trials_stays_small() -> None:
    page = page_of(of_labels("a", "b").model_copy(update={"search": searched({"max_leaf_nodes": 9}, trials=1000)}))
    assert "900 more candidates were tried and are not listed." in page
    assert len(page.encode()) < 200_000


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_a_search_of_few_trials_has_a_page(trials: int) -> None:
    found = of_labels("a", "b").model_copy(update={"search": searched({"max_depth": 2}, trials=trials)})
    assert 'id="search"' in page_of(found)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_all_scores_alike_are_drawn(metric: str) -> None:
    alike = searched({}, trials=3).model_copy(update={"scores": [0.5, 0.5, 0.5], "metric": metric, "defaults": None})
    assert "<polyline" in page_of(Assessment(search=alike))


def test_a_report_at_a_terminal_has_the_best_candidates() -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(model_report(document_of(of_labels("a", "b"), METRICS, {})))
    text = console.export_text()
    for told in ("Search", "4 of 5, 1 failed", "Told apart from that", "criterion=a, max_depth=0"):
        assert told in text


def asked(**said: Any) -> dict[str, Any]:
    options = dict.fromkeys(("search", "trials", "metric", "space")) | said
    limits = {"seconds": options.pop("time_limit", None), "memory_mb": 500}
    return training_request("iris", model=["tree.DecisionTreeClassifier"], limits=limits, search=options)


def test_options_make_a_search_whose_time_is_not_that_of_the_job(tmp_path: Path) -> None:
    file = tmp_path / "space.json"
    file.write_text('{"max_depth": [1, null]}')
    request = asked(search="random", trials=5, metric="log_loss", space=str(file), time_limit=60.0)
    assert request["search"] == {
        "method": "random",
        "trials": 5,
        "metric": "log_loss",
        "space": {"max_depth": [1, None]},
        "time_limit": 60.0,
    }
    assert request["limits"] == {"memory_mb": 500}
    assert asked(search="grid", space='{"max_depth": [1]}')["search"]["space"] == {"max_depth": [1]}


def test_without_a_search_a_time_is_that_of_the_job() -> None:
    request = asked(time_limit=60.0)
    assert "search" not in request
    assert request["limits"] == {"seconds": 60.0, "memory_mb": 500}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"trials": 3}, "--trials is for a search. Name its method"),
        ({"search": "random", "space": "{"}, "--space is not JSON"),
        ({"search": "random", "space": "no-such-file.json"}, "'no-such-file.json' cannot be read"),
    ],
)
def test_options_of_no_search_or_no_space_are_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongUsage, match=told):
        asked(**said)
