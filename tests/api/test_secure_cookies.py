"""Over https, the cookies of a login are those of this host alone."""

import pytest
from fastapi.testclient import TestClient
from starlette.responses import Response

from api.access.sign_in import keep_attempt
from api.parts import Parts
from shared.accounts.permissions import Role
from tests.support.accounts import PASSWORD, add_user
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


@pytest.fixture
def browser(client: TestClient, parts: Parts) -> TestClient:
    """A client that comes by https, as one behind a trusted proxy does."""
    add_user(parts.database, "anna", Role.ADMIN)
    eventually(lambda: client.get("/datasets").status_code == 401)
    return TestClient(client.app, base_url=str(client.base_url).replace("http:", "https:"), follow_redirects=False)


@pytest.mark.asvs("3.3.1", "3.3.3")
def test_their_names_have_the_prefix_that_browsers_look_at(browser: TestClient) -> None:
    answer = browser.post("/login", data={"name": "anna", "password": PASSWORD})
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-mlmini_session", "__Host-mlmini_token"]
    for cookie in cookies:
        # A browser takes no cookie of that name without these two, and none with a domain.
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert "Domain" not in cookie
    kept = dict(part.split(";")[0].split("=", 1) for part in cookies)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
    assert browser.get("/me", headers=headers).json()["name"] == "anna"
    token = {"X-Page-Token": kept["__Host-mlmini_token"]}
    made = {"name": "berta", "password": PASSWORD, "role": "viewer"}
    assert browser.post("/users", json=made, headers=headers | token).status_code == 201
    gone = browser.post("/logout", data={"token": kept["__Host-mlmini_token"]}, headers=headers)
    assert [each.partition("=")[0] for each in gone.headers.get_list("set-cookie")] == list(kept)


@pytest.mark.asvs("3.3.3")
def test_a_cookie_that_another_host_of_the_domain_could_set_is_none(browser: TestClient) -> None:
    answer = browser.post("/login", data={"name": "anna", "password": PASSWORD})
    session = answer.headers.get_list("set-cookie")[0].split(";")[0].partition("=")[2]
    browser.cookies.clear()
    assert browser.get("/me", headers={"Cookie": f"mlmini_session={session}"}).status_code == 401
    assert browser.get("/me", headers={"Cookie": f"__Host-mlmini_session={session}"}).status_code == 200


@pytest.mark.asvs("3.3.1", "3.3.3")
def test_over_https_no_other_host_can_set_the_cookie_of_an_attempt() -> None:
    answer = Response()
    keep_attempt(answer, "sealed", secure=True)
    (cookie,) = answer.headers.getlist("set-cookie")
    assert cookie.startswith("__Host-mlmini_oidc=sealed; ")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
