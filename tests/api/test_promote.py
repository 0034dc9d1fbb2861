"""POST /promote: what is accepted, and what is refused before it is."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.parts import Parts
from shared.settings import Settings
from tests.support.models import Platform, iris_forest, with_target

BODY = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}


def furnish(parts: Parts, folder: Path) -> Platform:
    """Iris with one version in dev and one in staging; wine with none."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data = platform.dataset()
    platform.train(data)
    platform.train(data)
    platform.promote(2, "staging")
    platform.dataset("wine")
    return platform


def jobs(client: TestClient) -> int:
    return len(client.get("/jobs", params={"kind": "promote"}).json()["items"])


def test_a_promotion_is_accepted_as_a_job(client: TestClient, platform: Platform) -> None:
    answer = client.post("/promote", json=BODY)
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{job['job_id']}"
    assert answer.headers["retry-after"] == "1"
    assert (job["kind"], job["status"], job["dataset_name"], job["request"]) == ("promote", "queued", "iris", BODY)
    assert client.get(answer.headers["location"]).json()["job_id"] == job["job_id"]


def test_the_same_key_and_body_are_one_job(client: TestClient, platform: Platform) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (client.post("/promote", json=BODY, headers=headers).json() for _ in range(2))
    assert first["job_id"] == second["job_id"]
    assert jobs(client) == 1
    other = client.post("/promote", json=BODY | {"version": 2}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


WRONG: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "an unknown dataset": ({"dataset_name": "irsi"}, 404, "unknown_dataset", "Did you mean 'iris'?"),
    "an unknown version": ({"version": 9}, 404, "unknown_model", "no model of version 9"),
    "a version of another dataset": ({"dataset_name": "wine"}, 404, "unknown_model", "'wine' has no model"),
    "an unknown stage": ({"target_stage": "stagging"}, 422, "unknown_stage", "Did you mean 'staging'?"),
    "a version that is there already": ({"version": 2}, 409, "already_in_stage", "'staging' already"),
    "a stage that would be skipped": ({"target_stage": "production"}, 409, "stage_skipped", "dev -> staging"),
    "the first stage": ({"target_stage": "dev"}, 409, "already_in_stage", "'dev' already"),
    "a version that is no number": ({"version": "1"}, 422, "invalid_request", "version"),
    "a version that is true": ({"version": True}, 422, "invalid_request", "version"),
    "a huge version": ({"version": 10**30}, 422, "invalid_request", "version"),
    "no version": ({"version": None}, 422, "invalid_request", "version"),
    "an unknown field": ({"target": "staging"}, 422, "invalid_request", "Did you mean 'target_stage'?"),
    "a name with a path": ({"dataset_name": "../../etc/passwd"}, 404, "unknown_dataset", "passwd"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_is_refused_and_makes_no_job(
    one_client: TestClient, one_platform: Platform, wrong: tuple[dict[str, Any], int, str, str]
) -> None:
    change, status, code, said = wrong
    answer = one_client.post("/promote", json=BODY | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert said in answer.json()["detail"]
    assert jobs(one_client) == 0


@pytest.mark.parametrize("missing", list(BODY))
def test_every_field_is_required(one_client: TestClient, one_platform: Platform, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    problem = one_client.post("/promote", json=body).json()
    assert problem["code"] == "invalid_request"
    assert problem["errors"] == [{"loc": ["body", missing], "msg": "It is required."}]


def test_a_model_that_is_too_large_to_be_served_is_not_promoted(api_settings: Settings, tmp_path: Path) -> None:
    app = create_app(api_settings.model_copy(update={"model_cache_mb": 1}))
    with TestClient(app) as client:
        parts: Parts = app.state.parts
        platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
        platform.train(platform.dataset(), iris_forest(trees=400))
        answer = client.post("/promote", json=BODY)
        assert (answer.status_code, answer.json()["code"]) == (409, "model_too_large")
        assert "raise MLMINI_MODEL_CACHE_MB" in answer.json()["detail"]
        assert jobs(client) == 0


def test_another_target_is_promoted_only_when_that_is_said(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("fish")
    platform.train(data, name="fish")
    platform.promote(3, "staging", name="fish")
    platform.train(data, with_target(iris_forest(), "weight"), name="fish")
    body = {"dataset_name": "fish", "version": 4, "target_stage": "staging"}
    answer = client.post("/promote", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "target_differs")
    detail = answer.json()["detail"]
    assert "predicts 'weight'" in detail
    assert "predicts 'target'" in detail
    assert '"replace_target": true' in detail
    assert jobs(client) == 0
    accepted = client.post("/promote", json=body | {"replace_target": True})
    assert accepted.status_code == 202
    assert accepted.json()["request"] == body | {"replace_target": True}
