"""Predictions for those who bring an API key, by the short way."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.accounts.api_keys import create_key, revoke_key
from shared.accounts.identity import Identity
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from tests.support.accounts import add_user
from tests.support.models import Platform
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

BODY = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris in dev, and a user."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    add_user(parts.database, "anna", Role.ADMIN)
    return platform


def key_for(parts: Parts, scope: Scope) -> tuple[int, dict[str, str]]:
    """A new key, as its id and as the header that it is sent in."""
    with parts.database.write() as session:
        row, text = create_key(session, find_user(session, "anna"), name="shop", scopes=[scope])
        return row.id, {"X-API-Key": text}


def test_the_database_is_asked_about_a_key_beside_the_predictions_and_not_before_each(
    client: TestClient, parts: Parts, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert platform
    eventually(lambda: client.post("/predict", json=BODY).status_code == 401)
    _, key = key_for(parts, Scope.PREDICT)
    asked: list[str] = []
    look_up = parts.access.known.look_up

    def noted(text: str) -> Identity:
        asked.append(text)
        return look_up(text)

    monkeypatch.setattr(parts.access.known, "look_up", noted)
    answers = [client.post("/predict", json=BODY, headers=key).status_code for _ in range(100)]
    assert answers == [200] * 100
    assert len(asked) < 20
    eventually(lambda: client.post("/predict", json=BODY, headers=key).status_code == 200 and len(asked) > 1)


def test_a_key_that_is_revoked_predicts_nothing_a_second_later(
    client: TestClient, parts: Parts, platform: Platform
) -> None:
    assert platform
    number, key = key_for(parts, Scope.PREDICT)
    eventually(lambda: client.post("/predict", json=BODY).status_code == 401)
    assert client.post("/predict", json=BODY, headers=key).status_code == 200
    with parts.database.write() as session:
        revoke_key(session, number)
    # Asked without a pause, so that it never is forgotten meanwhile.
    eventually(lambda: client.post("/predict", json=BODY, headers=key).status_code == 401, timeout=3, interval=0)


def test_a_key_that_is_not_for_predictions_gets_none(client: TestClient, parts: Parts, platform: Platform) -> None:
    assert platform
    _, key = key_for(parts, Scope.READ)
    eventually(lambda: client.post("/predict", json=BODY).status_code == 401)
    for _ in range(3):
        assert client.post("/predict", json=BODY, headers=key).status_code == 403


def test_of_two_keys_none_counts_also_when_one_was_found_good(
    client: TestClient, parts: Parts, platform: Platform
) -> None:
    assert platform
    (_, good), (_, other) = (key_for(parts, Scope.PREDICT) for _ in range(2))
    eventually(lambda: client.post("/predict", json=BODY).status_code == 401)
    for _ in range(3):
        assert client.post("/predict", json=BODY, headers=good).status_code == 200
    for second in (good, other):
        both = [*good.items(), *second.items()]
        assert client.post("/predict", json=BODY, headers=both).status_code == 401
