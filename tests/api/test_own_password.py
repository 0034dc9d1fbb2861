"""Users change their own password."""

import threading
from collections.abc import Mapping

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.accounts.permissions import Role
from shared.accounts.users import delete_user
from tests.api.test_access import bearer, logged_in
from tests.support.accounts import PASSWORD, add_user
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

NEW = "nine slow herons"


@pytest.fixture
def anna(client: TestClient, parts: Parts) -> dict[str, str]:
    """The headers of an admin who is logged in."""
    add_user(parts.database, "anna", Role.ADMIN)
    eventually(lambda: client.get("/datasets").status_code == 401)
    return bearer(logged_in(client))


def change(client: TestClient, headers: Mapping[str, str], **more: str) -> httpx2.Response:
    body = {"current_password": PASSWORD, "password": NEW} | more
    return client.post("/me/password", json=body, headers=headers)


@pytest.mark.asvs("6.2.2", "6.2.3")
def test_a_password_is_changed_with_the_one_that_there_is_and_ends_all_logins(
    client: TestClient, anna: dict[str, str]
) -> None:
    other = bearer(logged_in(client))
    assert change(client, anna).status_code == 204
    for headers in (anna, other):
        assert client.get("/me", headers=headers).status_code == 401
    assert client.post("/auth/token", data={"username": "anna", "password": PASSWORD}).status_code == 401
    again = bearer(logged_in(client, password=NEW))
    entries = client.get("/audit", params={"action": "user_changed"}, headers=again).json()["items"]
    assert [(each["actor"], each["outcome"], each["after"]) for each in entries] == [
        ("anna", "done", {"password": "changed"})
    ]
    assert "herons" not in str(entries)


@pytest.mark.asvs("6.2.3")
def test_a_wrong_or_weak_password_changes_nothing_and_is_recorded(client: TestClient, anna: dict[str, str]) -> None:
    assert change(client, anna, current_password="not this one").json()["code"] == "wrong_password"
    assert change(client, anna, password="otters").json()["code"] == "weak_password"
    assert client.get("/me", headers=anna).status_code == 200
    logged_in(client)
    entries = client.get("/audit", params={"action": "user_changed"}, headers=anna).json()["items"]
    assert [(each["actor"], each["outcome"]) for each in entries] == [("anna", "refused")]


def test_an_api_key_or_nobody_changes_no_password(client: TestClient, anna: dict[str, str]) -> None:
    made = client.post("/api-keys", json={"name": "shop", "scopes": ["admin"]}, headers=anna).json()
    for headers in ({"X-API-Key": made["key"]}, {}):
        answer = change(client, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    logged_in(client)


def test_a_weak_new_password_is_no_try_to_tell_the_one_that_there_is(client: TestClient, anna: dict[str, str]) -> None:
    assert [change(client, anna, password="otters").status_code for _ in range(6)] == [422] * 6
    assert change(client, anna).status_code == 204


def test_who_tries_again_and_again_has_to_wait(client: TestClient, anna: dict[str, str]) -> None:
    for _ in range(5):
        assert change(client, anna, current_password="not this one").status_code == 422
    answer = change(client, anna)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_logins")
    assert answer.headers["Retry-After"]


def test_a_crowd_that_tries_passwords_has_nobody_wait_longer_than_it_is_there(
    client: TestClient, parts: Parts, anna: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crowded:
        crowded.setattr(parts.access.passwords, "_places", threading.BoundedSemaphore(1))
        with parts.access.passwords._places:
            tries = [change(client, anna) for _ in range(4)]
            tries += [client.post("/auth/token", data={"username": "anna", "password": PASSWORD}) for _ in range(4)]
    assert {(each.status_code, each.headers["RateLimit"].split(";")[0]) for each in tries} == {(429, '"passwords"')}
    logged_in(client)
    assert change(client, anna).status_code == 204


def test_a_user_who_was_deleted_meanwhile_is_not_brought_back(
    client: TestClient, parts: Parts, anna: dict[str, str]
) -> None:
    add_user(parts.database, "berta", Role.ADMIN)
    with parts.database.write() as session:
        delete_user(session, "anna")
    # Known from memory for a moment.
    assert change(client, anna).status_code in {401, 404}
    assert client.post("/auth/token", data={"username": "anna", "password": NEW}).status_code == 401
