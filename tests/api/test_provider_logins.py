"""Logins through an identity provider, as browsers and programs meet them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from api.parts import Parts
from shared.accounts.api_keys import create_key
from shared.accounts.oidc.provider import CALLBACK, provider_of
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from shared.audit.listing import list_entries
from shared.errors import WrongSettings
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user
from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider, query_of
from tests.support.mock_provider import MockProvider
from tests.support.server import running
from tests.support.stack import NO_REDIS, Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

HERE = "http://127.0.0.1:8000"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def idp() -> Iterator[IdentityProvider]:
    with identity_provider(secret=SECRET) as provider:
        yield provider


@pytest.fixture(autouse=True)
def as_it_should_be(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test has set wrong is right for the next one."""
    yield
    if "idp" in request.fixturenames:
        provider: IdentityProvider = request.getfixturevalue("idp")
        for changed in (provider.claims, provider.moments, provider.instead, provider.metadata):
            changed.clear()


@contextmanager
def platform(settings: Settings) -> Iterator[tuple[TestClient, Parts]]:
    """An application with an admin `root`, who has a password."""
    app = create_app(settings)
    with TestClient(app, base_url=HERE, follow_redirects=False) as client:
        parts: Parts = app.state.parts
        add_user(parts.database, "root", Role.ADMIN)
        eventually(lambda: client.get("/datasets").status_code == 401)
        yield client, parts


def settings_for(settings: Settings, issuer: str, **more: Any) -> Settings:
    """Settings with a provider that has a secret for us."""
    file = settings.home / "secret-of-the-client"
    file.write_text(f"{SECRET}\n")
    given = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret_file": file, "public_url": HERE}
    return settings.model_copy(update=given | more)


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, stack: Stack, idp: IdentityProvider
) -> Iterator[tuple[TestClient, Parts]]:
    """One platform for all tests that leave no cookie behind; whoever is in the group `ml` is a trainer."""
    with stack.settings(tmp_path_factory.mktemp("provider")) as plain:
        roles = {"oidc_roles": '{"ml": "trainer"}', "oidc_new_users": True}
        with platform(settings_for(plain, idp.url, **roles)) as found:
            yield found


@pytest.fixture
def here(both: tuple[TestClient, Parts]) -> Iterator[TestClient]:
    both[0].cookies.clear()
    yield both[0]
    both[0].cookies.clear()


@pytest.fixture
def parts(both: tuple[TestClient, Parts]) -> Parts:
    return both[1]


def begin(client: TestClient, back_to: str = "/jobs", more: str = "") -> str:
    """Go to the provider; where that leads back to."""
    sent = client.get(f"/login/oidc?next={quote(back_to)}{more}")
    assert sent.status_code == 303, sent.text
    location = httpx2.get(sent.headers["Location"]).headers["Location"]
    assert location.startswith(f"{HERE}{CALLBACK}?")
    return location.removeprefix(HERE)


def log_in(client: TestClient, back_to: str = "/jobs", more: str = "") -> Response:
    return client.get(begin(client, back_to, more), headers=PAGE)


def make_key(client: TestClient) -> Response:
    """What changes who can log in, as a page of ours asks for it."""
    token = {"X-Page-Token": client.cookies["mlmini_token"]}
    return client.post("/api-keys", json={"name": "mine", "scopes": ["read"]}, headers=token)


def last_entry(parts: Parts) -> Any:
    with parts.database.read() as session:
        return list_entries(session, limit=1)[0]


def test_a_person_logs_in_and_is_led_to_where_they_wanted_to_be(here: TestClient, parts: Parts) -> None:
    asked = here.get("/jobs", headers=PAGE)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/login?next=/jobs")
    page = here.get(asked.headers["Location"], headers=PAGE)
    link = re.search(r'<a href="([^"]+)">Log in with (127\.0\.0\.1:\d+)</a>', page.text)
    assert link is not None
    assert link[1] == f"{HERE}/login/oidc?next=/jobs"
    assert "password" not in page.text
    answer = log_in(here)
    headers = answer.headers
    assert (answer.status_code, headers["Refresh"], headers["Cache-Control"]) == (200, "0; url=/jobs", "no-store")
    me = here.get("/me").json()
    assert (me["name"], me["role"]) == ("anna", "trainer")
    assert last_entry(parts).action == "login"
    # A change takes the token of the page, as after a login by a password.
    assert here.post("/train", json={}).json()["code"] == "missing_page_token"


@pytest.mark.asvs("3.3.2")
def test_the_cookies_of_a_login_are_for_this_platform_alone(here: TestClient) -> None:
    begun = here.get("/login/oidc").headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=600"} <= set(begun.split("; "))
    ended = log_in(here).headers.get_list("Set-Cookie")
    (session,) = (cookie for cookie in ended if cookie.startswith("mlmini_session="))
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(session.split("; "))
    (gone,) = (cookie for cookie in ended if cookie.startswith("mlmini_oidc="))
    assert "Max-Age=0" in gone


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example.org", "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)", "/a\nb"],
)
def test_a_login_leads_to_no_other_site(here: TestClient, elsewhere: str) -> None:
    answer = log_in(here, elsewhere)
    assert answer.headers["Refresh"] == "0; url=/docs"
    assert "evil" not in answer.text


@pytest.mark.asvs("7.2.4")
def test_a_login_through_the_provider_ends_the_one_before(here: TestClient) -> None:
    log_in(here)
    before = here.cookies["mlmini_session"]
    log_in(here)
    assert here.get("/me").status_code == 200
    here.cookies.clear()
    here.cookies.set("mlmini_session", before)
    assert here.get("/me").status_code == 401


@pytest.mark.asvs("6.8.4", "7.5.1", "7.5.2")
def test_a_login_is_as_old_as_the_question_of_the_provider(
    here: TestClient, parts: Parts, idp: IdentityProvider
) -> None:
    log_in(here)
    answer = make_key(here)
    assert (answer.status_code, answer.json()["code"]) == (403, "login_too_old")
    assert "open `/login/oidc?fresh=true` in the browser" in answer.json()["detail"]
    for seconds, status in ((15 * 60 + 60, 403), (15 * 60 - 60, 201)):
        idp.moments["auth_time"] = -seconds
        log_in(here)
        assert make_key(here).status_code == status
        # Nothing else of a login hangs on it.
        (login,) = (each for each in here.get("/me/logins").json()["items"] if each["current"])
        began, ends = (datetime.fromisoformat(login[name]) for name in ("began_at", "ends_at"))
        assert abs((datetime.now(UTC) - began).total_seconds()) < 60
        assert abs((ends - began).total_seconds() - 30 * 86_400) < 60
    idp.claims["auth_time"] = "lately"
    parts.access.refusals.write_counts()
    assert "auth_time" in log_in(here).text
    assert last_entry(parts).after["reason"] == "The ID token has no moment of the past in the claim auth_time."


@pytest.mark.asvs("6.8.4")
def test_whoever_has_to_log_in_anew_is_led_to_where_the_provider_asks_and_back(
    here: TestClient, parts: Parts, idp: IdentityProvider
) -> None:
    log_in(here)
    page = here.get("/login?next=/jobs", headers=PAGE)
    link = re.search(r'<a href="([^"]+)">Log in again with 127\.0\.0\.1:\d+</a>', page.text)
    assert link is not None
    assert link[1] == f"{HERE}/login/oidc?next=/jobs&amp;fresh=true"
    assert "evil" not in here.get("/login?next=//evil.example.org", headers=PAGE).text
    assert log_in(here, "//evil.example.org", "&fresh=true").headers["Refresh"] == "0; url=/docs"
    log_in(here)
    before = here.cookies["mlmini_session"]
    sent = query_of(here.get(link[1].replace("&amp;", "&")).headers["Location"])
    assert (sent["max_age"], sent["prompt"]) == ("0", "login")
    # A page of another site leads nobody past the question, and the link goes on to the same.
    asked = here.get("/login/oidc?next=/jobs&fresh=true", headers=PAGE | {"Sec-Fetch-Site": "cross-site"})
    assert (asked.status_code, link[1] in asked.text) == (200, True)
    # A provider that asks nothing, or does not say, opens nothing, and the login that there is goes on.
    idp.moments["auth_time"] = -120
    assert "let you through without" in log_in(here, more="&fresh=true").text
    idp.moments.clear()
    idp.claims["auth_time"] = None
    parts.access.refusals.write_counts()
    refused = log_in(here, more="&fresh=true")
    assert (refused.status_code, "does not say whether it did" in refused.text) == (403, True)
    assert "auth_time" in last_entry(parts).after["reason"]
    assert (here.cookies["mlmini_session"], make_key(here).status_code) == (before, 403)
    idp.claims.clear()
    answer = log_in(here, more="&fresh=true")
    assert (answer.status_code, answer.headers["Refresh"]) == (200, "0; url=/jobs")
    assert (here.cookies["mlmini_session"] != before, make_key(here).status_code) == (True, 201)
    wrong = here.get("/login/oidc?fresh=maybe")
    assert (wrong.status_code, wrong.json()["errors"][0]["loc"]) == (422, ["query", "fresh"])


@pytest.mark.asvs("7.6.2")
def test_another_site_begins_no_login(here: TestClient, idp: IdentityProvider) -> None:
    for site in ("cross-site", "same-site"):
        answer = here.get("/login/oidc?next=/jobs", headers=PAGE | {"Sec-Fetch-Site": site})
        assert (answer.status_code, "mlmini_oidc" in here.cookies) == (200, False)
        assert f'<a href="{HERE}/login/oidc?next=/jobs">' in answer.text
    for site in ("same-origin", "none"):
        answer = here.get("/login/oidc", headers=PAGE | {"Sec-Fetch-Site": site})
        assert answer.headers["Location"].startswith(idp.url)


@pytest.mark.asvs("10.1.2", "10.2.1")
def test_an_answer_that_this_browser_has_not_asked_for_is_refused(here: TestClient, idp: IdentityProvider) -> None:
    theirs = begin(here)
    here.cookies.clear()
    exchanged = idp.asked["/there/token"]
    without = here.get(theirs, headers=PAGE)
    assert (without.status_code, "has not begun this login" in without.text) == (403, True)
    mine = begin(here)
    for address in (theirs, CALLBACK, f"{mine}&state=another", mine.replace("state=", "stat=")):
        answer = here.get(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "login_refused"), address
    assert idp.asked["/there/token"] == exchanged
    assert "mlmini_session" not in here.cookies
    # What others send does not end what this browser has begun.
    assert here.get(mine).status_code == 200
    # It is good once.
    assert here.get(mine).status_code == 403


def test_what_a_browser_keeps_of_an_attempt_cannot_be_used_again(here: TestClient) -> None:
    back = begin(here)
    kept = here.cookies["mlmini_oidc"]
    assert here.get(back).status_code == 200
    here.cookies.set("mlmini_oidc", kept)
    assert "invalid_grant" in here.get(back).json()["detail"]


def test_a_refusal_is_a_page_with_the_reason_and_is_recorded(
    here: TestClient, parts: Parts, idp: IdentityProvider
) -> None:
    idp.claims["groups"] = ["others"]
    # What others were refused of late would only be counted.
    parts.access.refusals.write_counts()
    refused = log_in(here)
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "None of your groups at the identity provider has a role here." in refused.text
    assert "Max-Age=0" in refused.headers["Set-Cookie"]
    entry = last_entry(parts)
    assert (entry.action, entry.via, entry.outcome, entry.subject) == ("login_refused", "oidc", "refused", "user anna")
    assert entry.after["reason"] == "None of your groups at the identity provider has a role here."
    assert "mlmini_session" not in here.cookies
    said = begin(here).replace("code=", "error=%3Cscript%3E&error_description=%3Cb%3E&cod=")
    page = here.get(said, headers=PAGE)
    assert "&lt;script&gt; (&lt;b&gt;)" in page.text
    assert "<script>" not in page.text


def test_while_the_provider_is_down_logins_are_told_so_and_the_rest_goes_on(
    here: TestClient, parts: Parts, idp: IdentityProvider
) -> None:
    log_in(here)
    with parts.database.write() as session:
        key = create_key(session, find_user(session, "root"), name="for a test", scopes=[Scope.ADMIN])[1]
    back = begin(here)
    idp.instead["/there/token"] = (500, {}, b"")
    answer = here.get(back)
    assert (answer.status_code, answer.json()["code"]) == (503, "identity_provider_unavailable")
    assert "Retry-After" in answer.headers
    assert here.get("/datasets").status_code == 200
    here.cookies.clear()
    assert here.get("/datasets", headers={"X-API-Key": key}).status_code == 200


def test_nobody_logs_in_by_a_password_where_there_is_a_provider(here: TestClient) -> None:
    for answer in (
        here.post("/auth/token", data={"username": "root", "password": PASSWORD}),
        here.post("/login", data={"name": "root", "password": PASSWORD}),
        here.post("/auth/token", data={"username": "nobody", "password": "wrong"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "password_login_off")
        assert "mlmini admin key" in answer.json()["detail"]
    assert "mlmini_session" not in here.cookies


def test_an_address_has_so_many_tries(
    tmp_path: Path, stack: Stack, idp: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.accounts.throttling.TRIES_OF_ADDRESS", 2)
    with stack.settings(tmp_path / "home") as plain:
        settings = settings_for(plain, idp.url).model_copy(update={"redis_url": NO_REDIS})
        with platform(settings) as (client, _):
            statuses = [log_in(client).status_code for _ in range(3)]
    assert statuses == [403, 403, 429]


def test_an_admin_makes_users_for_the_provider(here: TestClient, parts: Parts) -> None:
    with parts.database.write() as session:
        key = create_key(session, find_user(session, "root"), name="for a test", scopes=[Scope.ADMIN])[1]
    headers = {"X-API-Key": key}
    made = here.post("/users", json={"name": "dora", "role": "viewer", "login": "oidc"}, headers=headers)
    assert (made.status_code, made.json()["login"]) == (201, "oidc")
    assert last_entry(parts).after == {"role": "viewer", "kind": "person", "login": "oidc", "teams": []}
    two = {"name": "emil", "role": "viewer", "login": "oidc", "password": PASSWORD}
    assert here.post("/users", json=two, headers=headers).json()["code"] == "invalid_request"
    add_user(parts.database, "fritz")
    changed = here.patch("/users/fritz", json={"login": "oidc"}, headers=headers)
    assert (changed.json()["login"], last_entry(parts).after) == ("oidc", {"login": "oidc"})
    only = here.patch("/users/root", json={"login": "oidc"}, headers=headers)
    assert only.json()["code"] == "last_admin"


def test_without_a_provider_there_is_no_such_login(one_client: TestClient, one_parts: Parts) -> None:
    for path in ("/login/oidc", CALLBACK):
        answer = one_client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_identity_provider")
    new = {"name": "anna", "role": "viewer", "login": "oidc"}
    assert "MLMINI_OIDC_ISSUER" in one_client.post("/users", json=new).json()["detail"]
    assert one_parts.access.provider is None


def test_without_accounts_nobody_is_sent_to_the_provider(tmp_path: Path, stack: Stack, idp: IdentityProvider) -> None:
    with stack.settings(tmp_path / "home") as plain:
        app = create_app(settings_for(plain, idp.url))
        with TestClient(app, base_url=HERE, follow_redirects=False) as client:
            answer = client.get("/login/oidc")
            assert (answer.status_code, "There are no accounts" in answer.text) == (200, True)


def test_the_platform_starts_while_the_provider_is_down(tmp_path: Path, stack: Stack) -> None:
    nobody = "http://127.0.0.1:1"
    with stack.settings(tmp_path / "home") as plain, platform(settings_for(plain, nobody)) as (client, _):
        answer = client.get("/login/oidc", headers=PAGE)
        assert (answer.status_code, "cannot be reached" in answer.text) == (503, True)
        assert client.get("/readyz").status_code == 200


WRONG_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no client": ({"oidc_client_id": None}, "MLMINI_OIDC_CLIENT_ID: it is missing"),
    "no address": ({"public_url": None}, "MLMINI_PUBLIC_URL: it is missing"),
    "an address that is not answered": ({"public_url": "https://ml.example.org"}, "MLMINI_ALLOWED_HOSTS"),
    "no ways to log in": ({"oidc_acr": " "}, "MLMINI_OIDC_ACR: It must be values of the claim acr"),
    "ways to log in as JSON": ({"oidc_acr": '["gold"]'}, "MLMINI_OIDC_ACR: It must be values of the claim acr"),
    "ways to log in with commas": ({"oidc_acr": "gold, silver"}, "with spaces between, and no commas or quotes"),
    "ways to log in and no issuer": (
        {"oidc_acr": "gold", "oidc_issuer": None, "oidc_client_id": None, "oidc_client_secret_file": None},
        "MLMINI_OIDC_ISSUER: it is missing, and MLMINI_OIDC_ACR is set",
    ),
    "no scope": ({"oidc_scopes": "profile"}, "MLMINI_OIDC_SCOPES: openid"),
    "no JSON": ({"oidc_roles": "ml=admin"}, "MLMINI_OIDC_ROLES: It must be an object of JSON"),
    "no roles": ({"oidc_roles": "{}"}, "MLMINI_OIDC_ROLES: It must be an object of JSON"),
    "a group twice": ({"oidc_roles": '{"a": "admin", "a": "viewer"}'}, "each group once"),
    "an unknown role": ({"oidc_roles": '{"ml": "trainr"}'}, "'ml' has no role that there is. Did you mean 'trainer'"),
    "a role that is none": ({"oidc_roles": '{"ml": 7}'}, "'ml' has no role that there is. The roles are viewer"),
    "new users without roles": ({"oidc_new_users": True}, "MLMINI_OIDC_NEW_USERS"),
    "no file": ({"oidc_client_secret_file": Path("nowhere")}, "MLMINI_OIDC_CLIENT_SECRET_FILE: there is no file"),
    "no issuer": ({"oidc_issuer": None}, "MLMINI_OIDC_ISSUER: it is missing"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS.keys())
def test_wrong_settings_stop_the_start(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    settings = settings_for(Settings(home=tmp_path), "https://login.example.org", **wrong)
    with pytest.raises(WrongSettings) as refused:
        provider_of(settings)
    assert said in refused.value.detail


def test_a_provider_of_a_package_knows_who_comes(tmp_path: Path, stack: Stack) -> None:
    mock = MockProvider()
    with running(mock), stack.settings(tmp_path / "home") as plain:
        given = {"oidc_roles": '{"ml-admins": "admin"}', "oidc_new_users": True, "oidc_acr": "gold silver"}
        with platform(settings_for(plain, mock.url, **given)) as (client, _):
            for sub, said in (
                ("person-1", ""),
                ("person-2", "None of your groups"),
                ("person-3", "lacks the claim acr"),
            ):
                sent = client.get("/login/oidc?next=/models&fresh=true").headers["Location"]
                assert query_of(sent)["code_challenge_method"] == "S256"
                assert "Authenticate predefined users" in httpx2.get(sent).text
                back = client.get(httpx2.post(sent, data={"sub": sub}).headers["Location"].removeprefix(HERE))
                assert (back.status_code, said in back.text) == (403 if said else 200, True)
            me = client.get("/me").json()
            assert (me["name"], me["role"]) == ("anna", "admin")
            assert make_key(client).status_code == 201
