"""An admin ends the logins of a user, or of all users, and nobody else's."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.accounts.permissions import Role
from tests.api.test_access import bearer, logged_in
from tests.support.accounts import PASSWORD, add_user
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

WAYS: dict[str, list[dict[str, Any]]] = {
    "kept out and let in again": [{"active": False}, {"active": True}],
    "another password": [{"password": "nine blue herons"}],
    "another role": [{"role": "viewer"}],
}


@pytest.fixture
def admin(client: TestClient, parts: Parts) -> dict[str, str]:
    """The headers of an admin who is logged in; there are two other users."""
    for name, role in (("anna", Role.ADMIN), ("bert", Role.TRAINER), ("carla", Role.APPROVER)):
        add_user(parts.database, name, role)
    eventually(lambda: client.get("/datasets").status_code == 401)
    return bearer(logged_in(client))


class LoginsOfUser:
    """All that one user is logged in by: two tokens, and a browser."""

    def __init__(self, client: TestClient, name: str) -> None:
        self._client = client
        self._tokens = [logged_in(client, name) for _ in range(2)]
        client.post("/login", data={"name": name, "password": PASSWORD}, follow_redirects=False)
        self._cookie = "; ".join(f"{key}={value}" for key, value in client.cookies.items())
        client.cookies.clear()

    def statuses(self) -> list[int]:
        """How each is answered now."""
        ways = [*map(bearer, self._tokens), {"Cookie": self._cookie}]
        return [self._client.get("/me", headers=way).status_code for way in ways]

    def are_over(self) -> bool:
        """Whether none is taken any more."""
        return self.statuses() == [401] * 3

    def refreshed(self) -> list[int]:
        """How it is answered to whoever wants another token for one of these logins."""
        asked = [{"refresh_token": tokens["refresh_token"]} for tokens in self._tokens]
        return [self._client.post("/auth/refresh", json=body).status_code for body in asked]


def end(client: TestClient, admin: dict[str, str], name: str, way: str) -> None:
    for change in WAYS[way]:
        assert client.patch(f"/users/{name}", json=change, headers=admin).status_code == 200


@pytest.mark.asvs("7.4.5")
@pytest.mark.parametrize(
    "way", [way if len(changes) > 1 else pytest.param(way, marks=pytest.mark.thorough) for way, changes in WAYS.items()]
)
def test_an_admin_ends_all_logins_of_a_user_and_of_nobody_else(
    client: TestClient, admin: dict[str, str], way: str
) -> None:
    bert, carla = LoginsOfUser(client, "bert"), LoginsOfUser(client, "carla")
    assert bert.statuses() == carla.statuses() == [200] * 3
    end(client, admin, "bert", way)
    eventually(bert.are_over)
    assert bert.refreshed() == [401] * 2
    assert carla.statuses() == [200] * 3
    assert client.get("/me", headers=admin).status_code == 200
    entries = client.get("/audit", params={"action": "user_changed"}, headers=admin).json()["items"]
    assert [(each["actor"], each["subject"]) for each in entries] == [("anna", "user bert")] * len(WAYS[way])


@pytest.mark.asvs("7.4.5")
def test_an_admin_ends_the_logins_of_all_users_who_can_log_in_again(client: TestClient, admin: dict[str, str]) -> None:
    others = [LoginsOfUser(client, name) for name in ("bert", "carla")]
    names = [user["name"] for user in client.get("/users", headers=admin).json()["items"] if user["name"] != "anna"]
    assert names == ["bert", "carla"]
    for name in names:
        end(client, admin, name, "kept out and let in again")
    for each in others:
        eventually(each.are_over)
        assert each.refreshed() == [401] * 2
    assert [LoginsOfUser(client, name).statuses() for name in names] == [[200] * 3] * 2


def test_who_is_no_admin_ends_no_logins_of_others(client: TestClient, admin: dict[str, str]) -> None:
    bert, carla = LoginsOfUser(client, "bert"), bearer(logged_in(client, "carla"))
    for changes in WAYS.values():
        for change in changes:
            assert client.patch("/users/bert", json=change, headers=carla).status_code == 403
    assert bert.statuses() == [200] * 3
