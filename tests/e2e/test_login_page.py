"""Logins of people, in a real browser: at the page of the login, and in Swagger UI."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from shared.accounts.permissions import Role
from tests.support.accounts import PASSWORD, add_user
from tests.support.api_server import serving
from tests.support.stack import Stack
from tests.support.swagger_page import SwaggerPage
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """An API that knows one user, an admin."""
    with stack.settings(tmp_path_factory.mktemp("login")) as settings, serving(settings) as (url, parts):
        add_user(parts.database, "anna", Role.ADMIN)
        eventually(lambda: httpx2.get(f"{url}/me").status_code == 401)
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a fresh profile."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.fill("#name", "anna")
    page.fill("#password", password)
    page.click("button")


def test_a_person_logs_in_at_the_page_changes_something_in_the_docs_and_logs_out(page: Page, url: str) -> None:
    page.goto(f"{url}/jobs")
    assert page.url == f"{url}/login?next=/jobs"
    log_in(page, "a wrong password")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    log_in(page)
    expect(page.locator("h1")).to_have_text("Jobs")
    docs = SwaggerPage(page, f"{url}/docs")
    with docs.opened("Access", "add_user"):
        docs.choose("trainer")
        assert docs.execute(status=201)["name"] == "berta"
    page.goto(f"{url}/login")
    page.click("text=Log out")
    expect(page.locator("h1")).to_have_text("Log in")
    page.goto(f"{url}/models")
    assert page.url == f"{url}/login?next=/models"


@pytest.mark.parametrize("how", ["a password", "a key"])
def test_a_person_authorizes_in_swagger_ui(page: Page, url: str, how: str) -> None:
    docs = SwaggerPage(page, f"{url}/docs")
    page.locator(".btn.authorize").click()
    if how == "a password":
        form = page.locator(".auth-container", has_text="OAuth2")
        form.locator("#oauth_username").fill("anna")
        form.locator("#oauth_password").fill(PASSWORD)
    else:
        form = page.locator(".auth-container", has_text="X-API-Key")
        form.locator("input").fill(key_of(url))
    form.locator("button.authorize").click()
    expect(form.get_by_text("Logout", exact=True)).to_be_visible()
    page.locator(".close-modal").click()
    with docs.opened("Access", "get_me"):
        told = docs.execute(status=200)
    assert (told["name"], told["via"]) == ("anna", "token" if how == "a password" else "key")


def key_of(url: str) -> str:
    form = {"username": "anna", "password": PASSWORD}
    token = httpx2.post(f"{url}/auth/token", data=form, timeout=60).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    wanted = {"name": "a browser", "scopes": ["read"]}
    key: str = httpx2.post(f"{url}/api-keys", json=wanted, headers=headers, timeout=60).json()["key"]
    return key
