"""Whoever is refused a thousand times does not fill the audit record, and all of it is told there."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from shared.accounts.permissions import Role
from shared.settings import Settings
from tests.api.test_access import bearer, logged_in
from tests.support.accounts import PASSWORD, add_user
from tests.support.application import parts_of
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

TRIES, LOOKS = 1000, 50


def attack(settings: Settings) -> None:
    """Try passwords, and look where a viewer may not."""
    with TestClient(create_app(settings)) as client:
        parts = parts_of(client)
        for name, role in (("anna", Role.ADMIN), ("bert", Role.VIEWER)):
            add_user(parts.database, name, role)
        eventually(parts.access.known.is_on)
        bert = bearer(logged_in(client, "bert"))
        assert {client.get("/users", headers=bert).status_code for _ in range(LOOKS)} == {403}
        wrong = {"username": "anna", "password": "wrong"}
        statuses = [client.post("/auth/token", data=wrong).status_code for _ in range(TRIES)]
        assert set(statuses) == {401, 429}


@pytest.mark.asvs("16.3.1", "16.3.2")
def test_a_thousand_wrong_passwords_are_two_entries_that_add_up(tmp_path: Path, stack: Stack) -> None:
    with stack.settings(tmp_path / "home") as settings:
        attack(settings)
        # What was counted is written before the process ends.
        with TestClient(create_app(settings)) as client:
            anna = bearer(logged_in(client, password=PASSWORD))
            found = client.get("/audit", params={"outcome": "refused"}, headers=anna).json()["items"]
            exported = client.get("/audit/export", headers=anna).text
    by_action = {action: [each for each in found if each["action"] == action] for action in SUMS}
    # A minute may end in between.
    assert all(2 <= len(entries) <= 6 for entries in by_action.values())
    sums = {action: sum((each["after"] or {}).get("more", 1) for each in of) for action, of in by_action.items()}
    assert sums == SUMS
    assert "too many tries" in exported
    assert exported.count('"more"') == sum(bool(each["after"]) for each in found)


SUMS = {"login_refused": TRIES, "access_refused": LOOKS}
