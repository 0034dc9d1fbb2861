"""People log in through an identity provider, in a real browser; pages of other origins do not do it for them."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from shared.accounts.permissions import Role
from shared.accounts.users import create_user
from tests.support.accounts import add_user
from tests.support.api_server import serving
from tests.support.browser import REBOUND
from tests.support.mock_provider import MockProvider
from tests.support.quiet_site import QuietSite
from tests.support.server import free_ports, running
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

ROLES = '{"ml-admins": "admin"}'


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """The platform under another name than its provider has, so that the way back comes from another site."""
    mock, (port,) = MockProvider(), free_ports(1)
    with running(mock), stack.settings(tmp_path_factory.mktemp("provider")) as plain:
        here = f"http://localhost:{port}"
        given = {"oidc_issuer": mock.url, "oidc_client_id": "mlmini", "public_url": here, "oidc_roles": ROLES}
        secret = plain.home / "secret"
        secret.write_text("any")
        settings = plain.model_copy(update=given | {"oidc_client_secret_file": secret})
        with serving(settings, port) as (_, parts):
            add_user(parts.database, "root", Role.ADMIN)
            with parts.database.write() as session:
                create_user(session, "anna", role=Role.VIEWER, password=None, issuer=mock.url)
            eventually(lambda: httpx2.get(f"{here}/me").status_code == 401)
            yield here


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of another site."""
    folder = tmp_path_factory.mktemp("site")
    Path(folder / "index.html").write_text("<!doctype html><title>Another site</title><h1>Another site</h1>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietSite, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{REBOUND}:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a fresh profile."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_person_logs_in_at_the_provider_and_is_led_back(page: Page, url: str) -> None:
    page.goto(f"{url}/jobs")
    page.click("text=Log in with 127.0.0.1")
    page.click("text=person-1")
    expect(page.locator("h1")).to_have_text("Jobs")
    assert page.url == f"{url}/jobs"
    page.goto(f"{url}/login")
    expect(page.locator("main")).to_contain_text("You are logged in as anna, with the role admin.")
    # Who has to be asked anew is led to the provider, which asks, and back.
    page.goto(f"{url}/login?next=/models")
    page.click("text=Log in again with 127.0.0.1")
    assert "prompt=login" in page.url
    page.click("text=person-1")
    expect(page.locator("h1")).to_have_text("Models")
    page.goto(f"{url}/login")
    page.click("text=Log out")
    expect(page.locator("h1")).to_have_text("Log in")
    # The provider knows the person, and the platform does not let them in.
    page.goto(f"{url}/login/oidc")
    page.click("text=person-2")
    expect(page.locator("main")).to_contain_text("None of your groups at the identity provider has a role here.")


def test_a_page_of_another_site_logs_nobody_in(page: Page, url: str, elsewhere: str) -> None:
    # Somebody else goes to the provider, and has others come back in their place.
    sent = httpx2.get(f"{url}/login/oidc").headers["Location"]
    theirs = httpx2.post(sent, data={"sub": "person-1"}).headers["Location"]
    for begun_before in (False, True):
        if begun_before:
            page.goto(f"{url}/login/oidc?next=/models")
        page.goto(elsewhere)
        page.evaluate("(address) => { location = address }", theirs)
        expect(page.locator("main")).to_contain_text("This browser has not begun this login")
        assert "mlmini_session" not in {cookie.get("name") for cookie in page.context.cookies()}


def test_a_login_that_another_site_begins_leads_to_a_page_of_the_platform(page: Page, url: str, elsewhere: str) -> None:
    page.goto(elsewhere)
    page.evaluate("(address) => { location = address }", f"{url}/login/oidc?next={elsewhere}/")
    # The person is asked before the provider is, which may ask nothing.
    page.click("text=Log in with 127.0.0.1")
    page.click("text=person-1")
    page.wait_for_url(f"{url}/docs")
