"""The report of a model: a document for programs, and a page with pictures for people."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.pages.report.whole import page_of_report
from api.parts import Parts
from api.schemas.model_reports import ModelReport
from shared.evaluation.assessment import Assessment, Importance, Standing
from shared.jobs.limits import NO_LIMITS
from shared.registry.deployments import retire
from shared.registry.erasure import erase_model
from shared.registry.pins import PinnedTraining
from shared.registry.rows import RegistryRow
from tests.support.assessments import (
    BASELINE,
    BASELINE_OF_NUMBERS,
    METRICS,
    OF_NUMBERS,
    of_labels,
    of_numbers,
    report_of,
)
from tests.support.models import Platform, doubling, iris_forest

pytestmark = pytest.mark.any_stack

PAGE = {"Accept": "text/html"}
SCRIPT = "<script>alert('x')</script>\"'&"
LONG = "a_name_that_nothing_breaks_" * 8
LABELS, OLDER, NUMBERS, ERASED = 1, 2, 3, 4
PARTS = set(Assessment.model_fields)
TRAINING = {
    *("version", "dataset_name", "dataset_version", "target", "estimator", "task", "split", "rows", "metrics"),
    *("baseline", "classes", "columns", "notes", "fit_seconds", "warnings", "pin"),
}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier, one of an older release, a regressor, and one that was erased."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data, forest = platform.dataset(), iris_forest()
    platform.train(data, replace(forest, assessment=of_labels("setosa", SCRIPT, "virginica")))
    platform.train(data, forest)
    platform.train(data, replace(doubling(), assessment=of_numbers()))
    erased = platform.train(data)
    with platform.database.write() as session:
        told = {LABELS: (METRICS, BASELINE, ["setosa", SCRIPT]), NUMBERS: (OF_NUMBERS, BASELINE_OF_NUMBERS, None)}
        for version, facts in told.items():
            values = {"metrics": facts[0], "report": report_of(*facts)}
            session.execute(update(RegistryRow).where(RegistryRow.version == version).values(values))
        retire(session, version=erased, stage="dev", reason=None, stages=parts.settings.stages)
        erase_model(session, erased, stages=parts.settings.stages, actor="test")
    return platform


def test_the_document_has_all_parts_at_its_top(one_client: TestClient, one_platform: Platform) -> None:
    document = one_client.get(f"/models/{LABELS}/report").raise_for_status().json()
    assert set(document) == PARTS | TRAINING | {"job_id", "trained_at"}
    expected = of_labels("setosa", SCRIPT, "virginica").model_dump(mode="json", exclude={"notes"})
    assert {name: document[name] for name in expected} == expected
    assert document["intervals"]["accuracy"] == [0.8584, 0.9558]
    assert document["notes"] == ["Few rows of 'rare' to measure on: 3."]
    assert document["baseline"]["metrics"] == BASELINE
    assert (document["task"], document["fit_seconds"], document["rows"]["test"]) == ("classification", 0.1835, 113)


def test_a_model_of_an_older_release_says_why_it_has_no_parts(one_client: TestClient, one_platform: Platform) -> None:
    document = one_client.get(f"/models/{OLDER}/report").raise_for_status().json()
    job = one_client.get(f"/models/{OLDER}").json()["job_id"]
    (note,) = document["notes"]
    assert f"POST /jobs/{job}/retry trains the same again" in note
    empty = PARTS - {"notes"}
    assert [name for name in empty if document[name]] == []
    assert document["metrics"] == {"accuracy": 0.9}
    text = one_client.get(f"/models/{OLDER}/report", headers=PAGE).text
    assert note in unescape(text)
    assert headings(text) == ["How well it does", "Notes and doubts", "Trained by"]


@pytest.mark.parametrize(("path", "status"), [("9", 404), ("x", 404), (str(ERASED), 410)])
@pytest.mark.parametrize("headers", [{}, PAGE])
def test_a_model_that_is_not_there_has_no_report(
    one_client: TestClient, one_platform: Platform, path: str, status: int, headers: dict[str, str]
) -> None:
    answer = one_client.get(f"/models/{path}/report", headers=headers)
    assert answer.status_code == one_client.get(f"/models/{path}").status_code == status


def test_lists_of_models_do_not_carry_it(one_client: TestClient, one_platform: Platform) -> None:
    assert "partial_dependence" not in one_client.get("/models").text
    assert "partial_dependence" not in one_client.get(f"/models/{LABELS}").text


def test_the_page_goes_from_what_matters_most_to_the_details(one_client: TestClient, one_platform: Platform) -> None:
    about = ["How well it does", "Notes and doubts", "Which columns matter"]
    then = ["How answers follow a column", "Where it does better and worse", "The worst rows", "Folds"]
    then.append("Whether more rows would help")
    last = ["What the interval of a prediction is worth", "Columns", "What it takes", "Trained by"]
    labels, numbers = (one_client.get(f"/models/{each}/report", headers=PAGE).text for each in (LABELS, NUMBERS))
    sought = "How its parameters were sought"
    assert headings(labels) == [*about, "What is taken for what", "Curves", *then[:3], sought, *then[3:], *last]
    assert headings(numbers) == [*about, "How far it is off", *then, *last]
    for text in (labels, numbers):
        anchors = re.findall(r'href="#(\w+)"', text)
        assert anchors == re.findall(r'<h2 id="(\w+)">', text)


@pytest.mark.parametrize("version", [LABELS, NUMBERS])
def test_every_picture_says_what_it_shows(one_client: TestClient, one_platform: Platform, version: int) -> None:
    text = one_client.get(f"/models/{version}/report", headers=PAGE).text
    pictures = re.findall(r"<svg[^>]*>", text)
    assert len(pictures) > 6
    for picture in pictures:
        assert 'aria-hidden="true"' in picture or re.search(r'role="img" aria-label="[^"]{10,}"', picture)
    # Every axis has numbers.
    for picture in re.findall(r'<svg[^>]*class="plot">.*?</svg>', text):
        assert len(re.findall(r"<text[^>]*>-?[\d.,]+</text>", picture)) >= 3


def test_the_page_loads_and_runs_nothing_and_escapes_names(one_client: TestClient, one_platform: Platform) -> None:
    text = one_client.get(f"/models/{LABELS}/report", headers=PAGE).text
    assert re.search(r"<(script|img|iframe|form|link)|style=|\son\w+=|https?://", text) is None
    assert SCRIPT in unescape(text)


def test_model_job_and_report_lead_to_each_other(one_client: TestClient, one_platform: Platform) -> None:
    report = f"/models/{LABELS}/report"
    job = one_client.get(f"/models/{LABELS}").json()["job_id"]
    assert f'href="{report}"' in one_client.get(f"/models/{LABELS}", headers=PAGE).text
    text = one_client.get(report, headers=PAGE).text
    assert f'href="/models/{LABELS}"' in text
    assert f'href="/jobs/{job}"' in text


def headings(text: str) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", text)


class Whole(HTMLParser):
    """Whether all elements of a page are closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.numbers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.numbers += [str(value) for name, value in attrs if name in {"x", "y", "cx", "cy", "points", "width"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def drawn(assessment: Assessment | None, metrics: dict[str, Any] = METRICS, **report: Any) -> str:
    """The page of a model that was never registered."""
    row = SimpleNamespace(
        version=1,
        target="t",
        estimator="svm.SVC",
        signature={"task": report.get("task", "classification")},
        job_id=UUID(int=1),
        trained_at=datetime.now(UTC),
        metrics=metrics,
        report=report,
    )
    model: Any = SimpleNamespace(row=row, dataset_name="d", dataset_version=1)
    pinned = PinnedTraining(SimpleNamespace(number=1, sha256="ab" * 32), {}, 1, NO_LIMITS, {}, None)  # type: ignore[arg-type]
    return bytes(page_of_report(ModelReport.from_registered(model, pinned, assessment)).body).decode()


MANY = [f"{LONG}{n}" if n % 7 == 0 else f"town {n}" for n in range(30)]
WIDE = of_labels(*MANY).model_copy(
    update={"importance": [Importance(column=f"{LONG}{n}", mean=0.3 - n / 100, std=0.01) for n in range(1000)]}
)
FARTHEST = 1.7976931348623157e308
ODD = {
    "nothing": Assessment(),
    "one label": of_labels("a"),
    "labels that are numbers": of_labels(0, 1.5, -3),
    "labels that are truths": of_labels(False, True),
    "no probabilities": of_labels("a", "b", probabilities=False),
    "many labels and columns": WIDE,
    "numbers": of_numbers(),
    "numbers as far as they go": of_numbers().model_copy(
        update={
            "intervals": {"mae": (-FARTHEST, FARTHEST), "r2": (0.0, 0.0)},
            "residuals": of_numbers().residuals.model_copy(  # type: ignore[union-attr]
                update={
                    "edges": [-FARTHEST, 0.0, FARTHEST],
                    "counts": [1, 10**12],
                    "points": [(FARTHEST, -FARTHEST), (0.0, 5e-324)],
                }
            ),
            "importance": [Importance(column="", mean=FARTHEST, std=FARTHEST), Importance(column="a", mean=0, std=0)],
        }
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_a_page_is_whole_whatever_there_is(name: str) -> None:
    text = drawn(ODD[name], **report_of(METRICS, BASELINE, ["a"]))
    page = Whole(text)
    assert page.open == []
    assert [number for number in page.numbers if re.search("nan|inf|e", number)] == []
    assert len(text) < 500_000


@pytest.mark.parametrize("metrics", [{}, {"accuracy": None}, {"accuracy": 0}, {"r2": -FARTHEST, "mae": 5e-324}])
def test_metrics_may_be_anything(metrics: dict[str, Any]) -> None:
    assert Whole(drawn(Assessment(), metrics)).open == []


def test_the_page_tells_the_rank_among_the_models_of_the_job() -> None:
    standing = Standing(
        rank=2, of=3, metric="accuracy", measured_on="folds", score=0.9, interval=None, within_noise=None
    )
    text = drawn(Assessment(standing=standing))
    assert "<dt>Rank in that job</dt><dd>2 of 3 by accuracy, the mean of the folds</dd>" in text
    assert "Rank in that job" not in drawn(Assessment())
