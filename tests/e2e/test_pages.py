"""The small pages in a real browser, on a phone and on a wide screen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import update

from shared.database import Database
from shared.object_store import open_store
from shared.registry.rows import RegistryRow
from tests.support.api_server import serving
from tests.support.assessments import of_labels, of_numbers
from tests.support.browser import browsing
from tests.support.jobs import add_job, fail_job, finish_job
from tests.support.models import doubling, iris_forest, open_platform
from tests.support.stack import Embedded

LONG = "a_column_with_a_very_long_name_that_nothing_breaks_" * 4
NARROWED = "/models?dataset_name=iris&stage=dev&sort=accuracy"
PAGES = [
    "/jobs",
    "/jobs?status=failed",
    "/models",
    NARROWED,
    "/models/1",
    "/models/1/report",
    "/models/2/report",
    "/errors",
    "/errors/foreign_origin",
    "/findings",
]
WRONG = [
    f"/jobs/{LONG}",
    "/models/9",
    "/models/9/report",
    "/errors/nope",
    "/jobs?status=foo",
    "/models/1/artifact?stage=nowhere",
]
METRICS = {"accuracy": 0.9123, "balanced_accuracy": 0.8456}
REPORT = {
    "rows": {"total": 150, "without_target": 3, "training": 120, "test": 27},
    "baseline": {"metrics": {"accuracy": 0.3333, "balanced_accuracy": 0.3333}},
    "notes": [f"Few rows of a class to measure on: {LONG}"],
    "columns": [
        {"column": LONG, "kind": "category", "role": "left_out", "treatment": f"left out: more values than {LONG}"},
    ],
}
LABELS = [f"{LONG}{n}" for n in range(30)]
SIGNATURE = {
    "inputs": [
        {"name": LONG, "kind": "category", "missing_allowed": True, "categories": [f"{LONG}{n}" for n in range(3000)]},
        *({"name": f"number_{n}", "kind": "number", "missing_allowed": False} for n in range(500)),
    ],
    "classes": LABELS,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[str]:
    """A platform with a model and some jobs, whose names and messages are long."""
    folder = tmp_path_factory.mktemp("pages")
    with Embedded(sqlite_template).settings(folder / "home") as settings:
        database, store = Database(settings.sqlalchemy_url), open_store(settings)
        store.prepare()
        platform = open_platform(database, store, settings, folder)
        data = platform.dataset()
        platform.train(data, replace(iris_forest(), assessment=of_labels(*LABELS)))
        platform.train(data, replace(doubling(), assessment=of_numbers()))
        with database.write() as session:
            session.execute(update(RegistryRow).values(metrics=METRICS, report=REPORT, signature=SIGNATURE))
        left_out = [{"column": LONG, "reason": f"more values than {LONG}"}]
        made = {"version": 1, "metrics": METRICS, "baseline": METRICS, "left_out": left_out}
        finish_job(database, add_job(database), {**made, "notes": REPORT["notes"]})
        fail_job(database, add_job(database, dataset_name=LONG[:64], request={"target": LONG}), message=LONG)
        database.close()
        with serving(settings) as (url, _):
            yield url


@pytest.mark.parametrize(
    ("width", "dark"),
    [
        (360, True),
        (1280, False),
        pytest.param(360, False, marks=pytest.mark.thorough),
        pytest.param(1280, True, marks=pytest.mark.thorough),
    ],
    ids=["360-dark", "1280-light", "360-light", "1280-dark"],
)
def test_pages_fit_the_screen_and_follow_its_colours(browser: Browser, url: str, width: int, *, dark: bool) -> None:
    with browsing(browser, url, width=width) as context:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if dark else "light")
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        made = page.request.get(f"{url}/jobs?status=succeeded&kind=promote").json()["items"][0]["links"]["self"]
        for path in [*PAGES, *WRONG, made]:
            page.goto(f"{url}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            # The style is applied: the policy lets it be.
            assert page.evaluate("getComputedStyle(document.querySelector('dt, th')).textAlign") in {"left", "start"}
            back = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
            assert back == "light dark"
        # A browser says so of each address that is wrong; there is no favicon either.
        assert [line for line in said if "the server responded with a status of 4" not in line] == []


def test_a_failed_job_leads_to_the_explanation_of_its_error(browser: Browser, url: str) -> None:
    with browsing(browser, url) as context:
        page = context.new_page()
        page.goto(f"{url}/jobs")
        page.get_by_role("navigation", name="Status").get_by_role("link", name="failed").click()
        page.get_by_role("row").nth(1).get_by_role("link").first.click()
        assert LONG in page.get_by_role("main").inner_text()
        page.get_by_role("link", name="fit_failed").click()
        page.get_by_role("heading", name="How to fix it").wait_for()
