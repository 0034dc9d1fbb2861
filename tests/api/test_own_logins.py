"""Users see where they are logged in, and end it."""

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.accounts.permissions import Role
from shared.accounts.rows import LoginSessionRow
from shared.clock import Now
from tests.api.test_access import bearer, logged_in
from tests.support.accounts import PASSWORD, add_user
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


@pytest.fixture
def anna(client: TestClient, parts: Parts) -> dict[str, str]:
    """The headers of an admin who is logged in."""
    for name in ("anna", "berta"):
        add_user(parts.database, name, Role.ADMIN)
    eventually(lambda: client.get("/datasets").status_code == 401)
    return bearer(logged_in(client))


@pytest.mark.asvs("7.5.2", "10.4.9")
def test_a_login_elsewhere_is_seen_and_ended_and_the_own_one_goes_on(client: TestClient, anna: dict[str, str]) -> None:
    tokens = logged_in(client)
    elsewhere = bearer(tokens)
    logins = client.get("/me/logins", headers=anna).json()["items"]
    assert [each["current"] for each in logins].count(True) == 1
    (other,) = (each["id"] for each in logins if not each["current"])
    assert client.get("/me", headers=elsewhere).status_code == 200
    assert client.delete(f"/me/logins/{other}", headers=anna).status_code == 204
    assert client.get("/me", headers=elsewhere).status_code == 401
    assert client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401
    (left,) = client.get("/me/logins", headers=anna).json()["items"]
    assert left["current"]
    again = client.delete(f"/me/logins/{other}", headers=anna)
    assert (again.status_code, again.json()["code"]) == (404, "unknown_login")
    entries = client.get("/audit", params={"action": "logout"}, headers=anna).json()["items"]
    assert [(each["actor"], each["subject"]) for each in entries] == [("anna", "user anna")]


def test_logins_of_others_are_neither_seen_nor_ended(client: TestClient, anna: dict[str, str]) -> None:
    berta = bearer(logged_in(client, "berta", PASSWORD))
    (hers,) = client.get("/me/logins", headers=berta).json()["items"]
    assert hers["id"] not in client.get("/me/logins", headers=anna).text
    refused = client.delete(f"/me/logins/{hers['id']}", headers=anna)
    unknown = client.delete("/me/logins/nothing", headers=anna)
    assert refused.status_code == unknown.status_code == 404
    assert refused.json()["detail"] == unknown.json()["detail"]
    assert client.get("/me", headers=berta).status_code == 200


def test_what_has_ended_is_not_listed(client: TestClient, parts: Parts, anna: dict[str, str]) -> None:
    for values in ({"expires_at": Now(-1)}, {"refreshed_at": Now(-15 * 86_400)}):
        logged_in(client)
        with parts.database.write() as session:
            newest = session.query(LoginSessionRow).order_by(LoginSessionRow.created_at.desc()).first()
            assert newest is not None
            for name, value in values.items():
                setattr(newest, name, value)
    assert [each["current"] for each in client.get("/me/logins", headers=anna).json()["items"]] == [True]


def test_a_login_that_is_too_old_to_be_listed_can_be_ended(
    client: TestClient, anna: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = client.get("/me/logins", headers=anna).json()["items"]
    later = bearer(logged_in(client))
    monkeypatch.setattr("shared.accounts.own_logins.MOST_LOGINS", 1)
    assert first["id"] not in client.get("/me/logins", headers=later).text
    assert client.delete(f"/me/logins/{first['id']}", headers=later).status_code == 204
    assert client.get("/me", headers=anna).status_code == 401


def test_an_api_key_sees_and_ends_no_logins(client: TestClient, anna: dict[str, str]) -> None:
    key = client.post("/api-keys", json={"name": "shop", "scopes": ["admin"]}, headers=anna).json()["key"]
    (login,) = client.get("/me/logins", headers=anna).json()["items"]
    for answer in (
        client.get("/me/logins", headers={"X-API-Key": key}),
        client.delete(f"/me/logins/{login['id']}", headers={"X-API-Key": key}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert client.get("/me", headers=anna).status_code == 200
