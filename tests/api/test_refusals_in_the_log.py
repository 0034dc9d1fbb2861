"""Whoever tries to get around a control is in the log, whichever control it is."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from api.app import create_app
from shared.accounts.permissions import Role
from tests.api.test_access import bearer, logged_in
from tests.api.test_quotas import TRAIN, upload
from tests.support.accounts import add_user
from tests.support.application import parts_of
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

LIMIT = 40


@pytest.mark.asvs("16.3.3")
def test_each_control_that_refuses_a_request_leaves_a_line_with_its_id(tmp_path: Path, stack: Stack) -> None:
    with stack.settings(tmp_path / "home") as settings:
        narrow = settings.model_copy(update={"rate_limit": LIMIT, "max_jobs_per_owner": 1})
        with TestClient(create_app(narrow)) as client:
            for name, role in (("anna", Role.ADMIN), ("bert", Role.VIEWER)):
                add_user(parts_of(client).database, name, role)
            eventually(parts_of(client).access.known.is_on)
            anna, bert = bearer(logged_in(client)), bearer(logged_in(client, "bert"))
            with capture_logs(processors=[merge_contextvars]) as logs:
                refused = tried(client, anna, bert)
            told = {line["request_id"]: line for line in logs if line["event"] == "request"}
            for method, path, answer in refused:
                line = told[answer.json()["request_id"]]
                assert (line["method"], line["path"], line["status"]) == (method, path, answer.status_code)
                assert line["client"] == "testclient"
            assert recorded(client, anna) >= {("login_refused", "anonymous"), ("access_refused", "bert")}


def tried(client: TestClient, anna: dict[str, str], bert: dict[str, str]) -> list[tuple[str, str, Any]]:
    """What is tried of each control, and how it is refused."""
    refused: list[tuple[str, str, Any]] = []

    def ask(method: str, path: str, code: str, **more: Any) -> None:
        answer = client.request(method, path, **more)
        assert answer.json()["code"] == code, answer.text
        refused.append((method, path, answer))

    # What is sent is checked.
    ask("GET", "/jobs", "invalid_request", params={"zzz": "1"}, headers=anna)
    ask("POST", "/train", "invalid_request", json={"dataset_name": 5}, headers=anna)
    ask("POST", "/datasets/upload", "invalid_table", files={"file": ("a.csv", b"\x89PNG\r\n\x1a\n")}, headers=anna)
    # Who it is, what they may, and where from.
    ask("GET", "/datasets", "not_authenticated", headers={"X-API-Key": "mlm_made_up"})
    ask("GET", "/users", "not_allowed", headers=bert)
    ask("POST", "/train", "foreign_origin", headers=anna | {"Origin": "http://evil.example"})
    # What the platform keeps to.
    ask("PATCH", "/users/anna", "last_admin", json={"role": "viewer"}, headers=anna)
    assert upload(client, anna).status_code == 201
    keyed = anna | {"Idempotency-Key": "once"}
    assert client.post("/train", json=TRAIN, headers=keyed).status_code == 202
    ask("POST", "/train", "idempotency_key_reused", json=TRAIN | {"random_state": 7}, headers=keyed)
    # Nobody has more than their share, and nobody guesses.
    ask("POST", "/train", "quota_reached", json=TRAIN, headers=anna)
    wrong = {"username": "anna", "password": "wrong"}
    assert [client.post("/auth/token", data=wrong).status_code for _ in range(5)] == [401] * 5
    ask("POST", "/auth/token", "too_many_logins", data=wrong)
    for _ in range(LIMIT):
        client.get("/me", headers=bert)
    ask("GET", "/me", "rate_limited", headers=bert)
    return refused


def recorded(client: TestClient, anna: dict[str, str]) -> set[tuple[str, str]]:
    """The refusals that the audit record has, each by its action and who it was."""
    items = client.get("/audit", params={"outcome": "refused"}, headers=anna).json()["items"]
    return {(each["action"], each["actor"]) for each in items}
