"""Erasing over HTTP: models, datasets, and what is left of their jobs."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from api.parts import Parts
from shared.object_store.shelves import Shelf, bucket_of
from tests.support.models import Platform, doubling


def furnish(parts: Parts, folder: Path) -> Platform:
    """One model of iris, which is active in its first two stages."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.promote(platform.train(platform.dataset(), doubling()), "staging")
    return platform


def problem(answer: Response, status: int, code: str) -> str:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return str(body["detail"])


def retire(client: TestClient, *stages: str) -> None:
    for stage in stages:
        assert client.post("/models/1/retire", json={"stage": stage}).status_code == 200


def test_an_erased_model_is_gone_and_says_so(client: TestClient, parts: Parts, platform: Platform) -> None:
    job_id = client.get("/models/1").json()["job_id"]
    asked = {"dataset_name": "iris", "environment": "staging", "input_data": {"features": [[1.0]]}}
    assert client.post("/predict", json=asked).json()["predictions"] == [2.0]
    assert "dev, staging" in problem(client.delete("/models/1"), 409, "model_in_use")
    retire(client, "dev", "staging")
    answer = client.delete("/models/1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert list(parts.store.list(bucket_of(Shelf.MODELS, parts.settings))) == []
    assert client.get("/models").json()["items"] == []
    gone = "The model of version 1 was erased on 20"
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/artifact")):
        assert problem(client.request(method, f"/models/1{path}"), 410, "model_erased").startswith(gone)
    assert problem(client.post("/models/1/retire", json={"stage": "dev"}), 410, "model_erased").startswith(gone)
    promote = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}
    assert problem(client.post("/promote", json=promote), 410, "model_erased").startswith(gone)
    problem(client.post("/predict", json=asked), 409, "no_active_model")
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["status"], job["request"], job["result"]) == ("succeeded", {}, None)
    assert (job["erased_at"].endswith("Z"), sorted(job["links"])) == (True, ["events", "logs", "self"])
    assert client.get(f"/jobs/{job_id}/logs").text == ""
    assert "Send a new request" in problem(client.post(f"/jobs/{job_id}/retry"), 409, "job_erased")
    problem(client.delete("/models/2"), 404, "unknown_model")
    problem(client.delete("/models/x"), 404, "unknown_model")


def test_an_erased_dataset_leaves_its_name_free_and_its_numbers_taken(
    client: TestClient, parts: Parts, platform: Platform
) -> None:
    table = {"file": ("wine.csv", b"a,b\n1,2\n")}
    assert client.post("/datasets/upload", files=table).json()["version"] == 1
    both = client.delete("/datasets/wine", params={"archive": "true", "erase": "true"})
    assert "Either hide" in problem(both, 422, "invalid_request")
    assert client.get("/datasets/wine").status_code == 200
    assert client.delete("/datasets/wine", params={"erase": "true"}).status_code == 204
    assert list(parts.store.list(bucket_of(Shelf.DATASETS, parts.settings))) == []
    again = problem(client.delete("/datasets/wine", params={"erase": "true"}), 404, "unknown_dataset")
    assert "was erased on 20" in again
    assert client.post("/datasets/upload", files=table).json()["version"] == 2
    refused = problem(client.delete("/datasets/iris", params={"erase": "true"}), 409, "dataset_in_use")
    assert "'iris': 1. Erase them first" in refused
