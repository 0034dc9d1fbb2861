"""Pages of other origins, in a real browser: they may send requests to the platform, and change nothing."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.support.api_server import serving
from tests.support.browser import REBOUND
from tests.support.quiet_site import QuietSite
from tests.support.stack import Stack

# The page cannot read the answer, but its request is sent all the same.
UPLOAD = """async (url) => {
    const form = new FormData();
    form.append("file", new File([`number\\n${Math.random()}\\n`], "numbers.csv"));
    await fetch(url, {method: "POST", mode: "no-cors", body: form});
}"""


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """The platform, with a dataset `numbers`."""
    with stack.settings(tmp_path_factory.mktemp("origins")) as settings, serving(settings) as (url, _):
        file = {"file": ("numbers.csv", b"number\n1\n")}
        # The first upload waits for what reads it.
        httpx2.post(f"{url}/datasets/upload", files=file, timeout=60).raise_for_status()
        yield url


@pytest.fixture(scope="module")
def other_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of another site on this machine."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<!doctype html><title>Another site</title>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietSite, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a fresh profile."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", REBOUND], ids=["same site", "another site", "of the web"])
def test_a_page_of_another_origin_uploads_nothing(page: Page, url: str, other_port: int, host: str) -> None:
    before = _newest(url)
    page.goto(f"http://{host}:{other_port}/")
    with page.expect_response(f"{url}/datasets/upload") as answer:
        page.evaluate(UPLOAD, f"{url}/datasets/upload")
    assert answer.value.status == 403
    assert _newest(url) == before


def test_a_page_of_the_platform_uploads_by_the_same_request(page: Page, url: str) -> None:
    before = _newest(url)
    page.goto(f"{url}/docs")
    page.evaluate(UPLOAD, f"{url}/datasets/upload")
    assert _newest(url) == before + 1


def test_a_name_of_the_web_that_leads_to_the_platform_is_not_answered(page: Page, url: str) -> None:
    answer = page.goto(f"http://{REBOUND}:{urlsplit(url).port}/datasets")
    assert answer is not None
    assert (answer.status, answer.json()["code"]) == (421, "unknown_host")


def _newest(url: str) -> int:
    newest: int = httpx2.get(f"{url}/datasets/numbers", timeout=60).json()["version"]
    return newest
