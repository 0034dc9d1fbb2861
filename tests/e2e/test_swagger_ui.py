"""The walk by clicking, in a real browser that reaches nothing but the platform."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Strayed, browsing
from tests.support.launcher import Launcher, launched
from tests.support.swagger_page import SwaggerPage
from tests.support.waiting import eventually
from tests.support.walk import FLOWERS, Walk


@pytest.fixture(scope="module")
def platform(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A platform just started for the first time, with the examples in its catalog."""
    with launched(tmp_path_factory.mktemp("swagger") / "home") as launcher:
        with launcher.client() as client:
            Walk(client).wait_for_examples()
        yield launcher


@pytest.fixture
def url(platform: Launcher) -> str:
    """Where the page is."""
    return platform.url("Swagger UI")


@pytest.fixture(scope="module")
def shared(browser: Browser, platform: Launcher) -> Iterator[SwaggerPage]:
    """A page for several tests, each with operations of its own: to load one takes seconds of a core."""
    url = platform.url("Swagger UI")
    with browsing(browser, url) as context:
        yield SwaggerPage(context.new_page(), url)


def test_the_walk_succeeds_by_clicking_with_the_network_cut(browser: Browser, url: str, tmp_path: Path) -> None:
    file = tmp_path / "Flowers.csv"
    file.write_text(FLOWERS)
    with browsing(browser, url) as context:
        page = SwaggerPage(context.new_page(), url)
        with page.opened("Datasets", "upload_dataset"):
            page.attach(file)
            uploaded = page.execute(status=201)
            assert (uploaded["name"], uploaded["rows"], uploaded["description"]) == ("flowers", 60, None)
        with page.opened("Train", "train_model"):
            accepted = page.execute(status=202)
        made = _end_of(page, accepted)
        assert made["result"]["version"] == 1
        with page.opened("Train", "train_model"):
            # One's own table, in one's own words.
            forest = {"module": "ensemble", "class": "RandomForestClassifier"}
            page.write({"dataset_name": "flowers", "target_column": "species", "model": forest})
            accepted = page.execute(status=202)
        assert _end_of(page, accepted)["result"]["artifact_path"] == "flowers_model_dev_v2.pkl"
        for example, stage in [("iris_to_staging", "staging"), ("iris_to_production", "production")]:
            with page.opened("Promote", "promote_model"):
                page.choose(example)
                accepted = page.execute(status=202)
            assert _end_of(page, accepted)["result"]["stage"] == stage
        with page.opened("Predict", "predict"):
            assert page.execute(status=200)["predictions"] == ["setosa", "virginica"]
            page.choose("iris_probabilities")
            assert page.execute(status=200)["classes"] == ["setosa", "versicolor", "virginica"]
        assert page.errors == []


@pytest.mark.parametrize("width", [pytest.param(1400, marks=pytest.mark.thorough), 390])
def test_the_page_is_whole_and_no_wider_than_the_window(shared: SwaggerPage, platform: Launcher, width: int) -> None:
    with platform.client() as client:
        operations = Walk(client).operations
    shared.page.set_viewport_size({"width": width, "height": 1000})
    expect(shared.page).to_have_title("ML Mini Platform")
    expect(shared.page.locator(".opblock")).to_have_count(len(operations))
    expect(shared.page.locator(".info li")).to_have_count(5)
    assert shared.page.evaluate("window.innerWidth") == width
    assert shared.overflow() == 0
    for tag, operation in [("Train", "train_model"), ("Models", "list_models"), ("Datasets", "preview_dataset")]:
        with shared.opened(tag, operation):
            shared.execute()
            assert shared.overflow() == 0, operation
    assert shared.errors == []


def test_an_upload_without_a_file_says_so_and_sends_nothing(shared: SwaggerPage, tmp_path: Path) -> None:
    file = tmp_path / "flowers.csv"
    file.write_text(FLOWERS)
    sent: list[str] = []
    shared.page.on("request", lambda request: sent.append(request.url))
    with shared.opened("Datasets", "upload_dataset") as upload:
        upload.locator("button.execute").click()
        cell = upload.locator("td:has(input[type=file]:invalid)")
        expect(cell).to_be_visible()
        assert "Choose a file first" in cell.evaluate("cell => getComputedStyle(cell, '::after').content")
        assert cell.locator("input").evaluate("input => input.validationMessage") == "Choose a file first."
        shared.attach(file)
        expect(cell).to_have_count(0)
    assert [address for address in sent if "upload" in address] == []


def test_the_version_that_a_job_made_is_filled_in_for_what_comes_next(shared: SwaggerPage) -> None:
    with shared.opened("Train", "train_model"):
        shared.choose("wine_logistic_regression")
        accepted = shared.execute(status=202)
    made = _end_of(shared, accepted)["result"]
    with shared.opened("Models", "get_model"):
        assert shared.value("version") == str(made["version"])
        assert shared.execute(status=200)["dataset_name"] == "wine"
    with shared.opened("Promote", "promote_model"):
        assert shared.body() == {"dataset_name": "wine", "version": made["version"], "target_stage": "staging"}
        accepted = shared.execute(status=202)
    promoted = _end_of(shared, accepted)
    assert (promoted["result"]["version"], promoted["result"]["stage"]) == (made["version"], "staging")
    assert shared.errors == []


def test_the_time_that_a_request_took_is_shown(shared: SwaggerPage) -> None:
    with shared.opened("Operations", "get_version") as operation:
        shared.execute(status=200)
        expect(operation.get_by_text("Request duration")).to_be_visible()


def test_a_deep_link_opens_its_operation(browser: Browser, url: str) -> None:
    with browsing(browser, url) as context:
        page = SwaggerPage(context.new_page(), f"{url}#/Predict/predict")
        expect(page.page.locator("#operations-Predict-predict button.execute")).to_be_visible()
        expect(page.page.locator(".opblock.is-open")).to_have_count(1)


def test_the_steps_at_the_top_lead_to_their_operations(shared: SwaggerPage) -> None:
    shared.page.locator(".info").get_by_role("link", name="Promote").click()
    expect(shared.page.locator("#operations-Promote-promote_model button.execute")).to_be_visible()
    assert shared.page.url.endswith("#/Promote/promote_model")
    assert len(shared.page.context.pages) == 1
    assert shared.errors == []


def test_a_page_that_asks_for_something_elsewhere_would_be_noticed(browser: Browser, url: str) -> None:
    with pytest.raises(Strayed, match="somewhere-else"), browsing(browser, url) as context:  # noqa: PT012 - the end raises
        page = context.new_page()
        page.goto(url.replace("/docs", "/errors"))
        page.evaluate("document.body.append(Object.assign(new Image(), {src: '/docs'}))")
        page.goto("about:blank")
        page.set_content("<img src='http://somewhere-else.test/a.png'>")


def _end_of(page: SwaggerPage, accepted: dict[str, Any]) -> dict[str, Any]:
    """The job at its end: the field of the id is filled in by itself, and the answer comes when there is one.

    To ask again and again would take the page a second of a core each time.
    """
    with page.opened("Jobs", "get_job"):
        assert page.value("job_id") == accepted["job_id"]
        page.fill("wait", "30")
        jobs: list[dict[str, Any]] = eventually(
            lambda: [job for job in [page.execute(status=200)] if job["finished_at"]], timeout=120
        )
    assert jobs[0]["status"] == "succeeded", jobs
    return jobs[0]
