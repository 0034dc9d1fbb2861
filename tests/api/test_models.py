"""The registry over HTTP: look, compare, download, retire."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow
from shared.estimators.signature import InputColumn
from shared.jobs.acceptance import accept
from shared.jobs.states import Kind
from shared.registry.rows import DeploymentRow
from shared.tables.columns import CellReading, ColumnKind
from tests.support.jobs import claim_job
from tests.support.models import Platform, doubling, iris_forest, with_target
from tests.support.objects import read, sha256_of
from tests.support.registry import Data


def furnish(parts: Parts, folder: Path) -> Platform:
    """Three versions of iris, of which the second is in staging, and one of wine."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    iris = platform.dataset()
    platform.train(iris)
    platform.train(iris, iris_forest(trees=7, seed=1))
    platform.train(iris, doubling())
    platform.promote(2, "staging")
    platform.train(platform.dataset("wine"), doubling(), name="wine")
    return platform


def listed(client: TestClient, **query: Any) -> list[int]:
    answer = client.get("/models", params=query)
    assert answer.status_code == 200, answer.text
    return [model["version"] for model in answer.json()["items"]]


@pytest.mark.asvs("15.3.1")
def test_how_cells_are_read_is_kept_with_a_model_and_not_shown(client: TestClient, platform: Platform) -> None:
    column = InputColumn(name="x", kind="number", missing_allowed=False, cells=CellReading(kind=ColumnKind.NUMBER))
    fitted = doubling()
    signature = fitted.signature.model_copy(update={"inputs": [column]})
    version = platform.train(platform.dataset("readings"), replace(fitted, signature=signature), name="readings")
    (shown,) = client.get(f"/models/{version}").json()["signature"]["inputs"]
    assert shown == {"name": "x", "kind": "number", "missing_allowed": False, "categories": None, "used": True}
    given = {"dataset_name": "readings", "environment": "dev"}
    answer = client.post("/predict", json=given | {"input_data": {"records": [{"x": " 1.5 "}]}})
    assert answer.json()["predictions"] == pytest.approx([3.0])
    answer = client.post("/predict", json=given | {"input_data": {"records": [{"x": "NA"}]}})
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_not_allowed")


def test_a_model_shows_all_that_is_registered(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.get("/models/2")
    model = answer.json()
    assert answer.status_code == 200
    assert model["dataset_name"] == "iris"
    assert model["dataset_version"] == 1
    assert (model["stage"], model["artifact_path"]) == ("staging", "iris_model_staging_v2.pkl")
    assert model["estimator"] == "RandomForestClassifier"
    assert model["parameters"]["n_estimators"] == 7
    assert model["metrics"] == {"accuracy": 0.9}
    assert model["signature"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert "scikit-learn" in model["environment"]
    assert model["promoted_at"].endswith("Z")
    assert [(stay["stage"], stay["active"]) for stay in model["deployments"]] == [("dev", True), ("staging", True)]
    assert {stay["sha256"] for stay in model["deployments"]} == {model["sha256"]}
    assert "hmac" not in answer.text


def test_models_are_listed_newest_first_and_filtered(one_client: TestClient, one_platform: Platform) -> None:
    assert listed(one_client) == [4, 3, 2, 1]
    assert listed(one_client, dataset_name="iris") == [3, 2, 1]
    assert listed(one_client, stage="staging") == [2]
    assert listed(one_client, dataset_name="wine", stage="staging") == []


@pytest.mark.parametrize("path", ["/models", "/jobs"])
def test_a_list_for_a_dataset_that_never_was_suggests_the_one_that_is_meant(
    one_client: TestClient, one_platform: Platform, path: str
) -> None:
    for name in ("irsi", "IRIS"):
        problem = one_client.get(path, params={"dataset_name": name}).json()
        assert (problem["status"], problem["code"]) == (404, "unknown_dataset")
        assert problem["did_you_mean"] == "iris"


@pytest.mark.parametrize("path", ["/models", "/jobs"])
def test_a_list_for_a_dataset_without_any_is_empty(client: TestClient, platform: Platform, path: str) -> None:
    empty: dict[str, Any] = {"items": [], "next_cursor": None}
    platform.dataset("fresh")
    assert client.get(path, params={"dataset_name": "fresh"}).json() == empty
    with platform.database.write() as session:
        accept(session, kind=Kind.TRAIN, request={}, dataset_name="gone", dataset_version_id=None)
    assert client.get(path, params={"dataset_name": "gone"}).status_code == 200
    assert client.get("/jobs", params={"dataset_name": "gone", "status": "failed"}).json() == empty


def test_pages_of_models_follow_each_other(one_client: TestClient, one_platform: Platform) -> None:
    first = one_client.get("/models", params={"limit": 3}).json()
    second = one_client.get("/models", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [model["version"] for model in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next_cursor"] is None


def test_models_side_by_side_mark_their_differences(one_client: TestClient, one_platform: Platform) -> None:
    compared = one_client.get("/models/compare", params={"versions": "2,1,3"}).json()
    assert compared["versions"] == [2, 1, 3]
    assert compared["metrics"] == [{"name": "accuracy", "values": [0.9, 0.9, 0.9], "differs": False, "best": []}]
    parameters = {row["name"]: row for row in compared["parameters"]}
    assert parameters["n_estimators"] == {"name": "n_estimators", "values": [7, 5, None], "differs": True}
    facts = {row["name"]: row["differs"] for row in compared["facts"]}
    assert facts["estimator"] is True
    assert facts["dataset_name"] is False
    page = one_client.get("/models/compare", params={"versions": "2,1,3"}, headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["vary"] == "Accept"
    assert "<h1>Models 2, 1, 3</h1>" in page.text
    assert "<strong>n_estimators</strong>" in page.text


@pytest.mark.parametrize(
    "versions",
    ["", "1", "1,1", "1,x", "1,,2", "1,-2", "0,1", "1,2.0", "1,99999999999", "1,²", ",".join(map(str, range(1, 12)))],
)
def test_a_comparison_of_what_are_not_two_to_ten_versions_is_refused(
    one_client: TestClient, one_platform: Platform, versions: str
) -> None:
    answer = one_client.get("/models/compare", params={"versions": versions})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "versions=1,2" in answer.json()["detail"]


WRONG: dict[str, tuple[str, int, str, str]] = {
    "an unknown version": ("/models/9", 404, "unknown_model", "version 9"),
    "a word for a version": ("/models/abc", 404, "unknown_model", "a whole number from 1; GET /models lists them"),
    "version zero": ("/models/0", 404, "unknown_model", "a whole number from 1"),
    "a negative version": ("/models/-1", 404, "unknown_model", "a whole number from 1"),
    "digits of another script": ("/models/\u0661", 404, "unknown_model", "a whole number from 1"),
    "a huge version": (f"/models/{10**30}", 404, "unknown_model", "a whole number from 1"),
    "the file of a word": ("/models/abc/artifact", 404, "unknown_model", "a whole number from 1"),
    "an unknown version to compare": ("/models/compare?versions=1,9", 404, "unknown_model", "version 9"),
    "nothing to compare": ("/models/compare", 422, "invalid_request", "versions"),
    "an unknown stage": ("/models?stage=prod", 422, "unknown_stage", "dev, staging, production"),
    "a wrong cursor": ("/models?cursor=x", 422, "invalid_cursor", ""),
    "a wrong limit": ("/models?limit=0", 422, "invalid_request", "limit"),
    "the file of an unknown version": ("/models/9/artifact", 404, "unknown_model", "version 9"),
    "the file of an unknown stage": ("/models/1/artifact?stage=prod", 422, "unknown_stage", "dev, staging"),
    "the file of a stage never reached": ("/models/1/artifact?stage=staging", 409, "not_active", "only in: dev"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_question_is_refused(
    one_client: TestClient, one_platform: Platform, wrong: tuple[str, int, str, str]
) -> None:
    path, status, code, said = wrong
    answer = one_client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert said in answer.json()["detail"]


def artifact(platform: Platform, name: str) -> bytes:
    return read(platform.store, platform.settings.models_bucket, name)


@pytest.mark.asvs("3.2.1", "5.4.1")
def test_the_file_of_a_model_can_be_downloaded(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.get("/models/2/artifact")
    assert answer.status_code == 200
    assert answer.content == artifact(one_platform, "iris_model_staging_v2.pkl")
    assert answer.headers["content-disposition"] == 'attachment; filename="iris_model_staging_v2.pkl"'
    assert answer.headers["etag"] == f'"{sha256_of(answer.content)}"'
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    dev = one_client.get("/models/2/artifact", params={"stage": "dev"})
    assert "iris_model_dev_v2.pkl" in dev.headers["content-disposition"]


def test_a_head_request_tells_of_the_file_without_sending_it(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.head("/models/2/artifact")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(artifact(one_platform, "iris_model_staging_v2.pkl")))


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "*"])
def test_a_file_that_the_client_has_is_not_sent_again(
    one_client: TestClient, one_platform: Platform, form: str
) -> None:
    etag = one_client.head("/models/1/artifact").headers["etag"]
    answer = one_client.get("/models/1/artifact", headers={"if-none-match": form.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    changed = one_client.get("/models/1/artifact", headers={"if-none-match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-10", slice(-10, None)),
        ("bytes=5-999999999", slice(5, None)),
        ("bytes=-999999999", slice(0, None)),
    ],
)
def test_a_part_of_the_file_can_be_downloaded(
    one_client: TestClient, one_platform: Platform, asked: str, part: slice
) -> None:
    whole = artifact(one_platform, "iris_model_dev_v1.pkl")
    answer = one_client.get("/models/1/artifact", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    start = range(len(whole))[part][0]
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=a-b", "bytes"])
def test_a_range_that_is_not_one_range_gives_the_whole_file(
    one_client: TestClient, one_platform: Platform, asked: str
) -> None:
    answer = one_client.get("/models/1/artifact", headers={"range": asked})
    assert answer.status_code == 200
    assert answer.content == artifact(one_platform, "iris_model_dev_v1.pkl")


def test_a_range_of_another_state_of_the_file_gives_the_whole_file(
    one_client: TestClient, one_platform: Platform
) -> None:
    answer = one_client.get("/models/1/artifact", headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert answer.status_code == 200


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0", "bytes=999999999-1000000000"])
def test_a_range_behind_the_end_cannot_be_satisfied(one_client: TestClient, one_platform: Platform, asked: str) -> None:
    answer = one_client.get("/models/1/artifact", headers={"range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    size = len(artifact(one_platform, "iris_model_dev_v1.pkl"))
    assert answer.headers["content-range"] == f"bytes */{size}"


def test_a_file_that_is_missing_is_unavailable(client: TestClient, platform: Platform) -> None:
    platform.store.delete(platform.settings.models_bucket, "iris_model_dev_v1.pkl")
    answer = client.get("/models/1/artifact")
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")


ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "the whole": ("GET", {}),
    "a part": ("GET", {"range": "bytes=0-9"}),
    "its headers": ("HEAD", {}),
}


@pytest.mark.parametrize(("method", "headers"), ASKED.values(), ids=ASKED.keys())
def test_nothing_is_sent_of_a_file_that_was_replaced(
    client: TestClient, platform: Platform, method: str, headers: dict[str, str]
) -> None:
    platform.overwrite("iris_model_dev_v1.pkl", lambda data: bytes(len(data)))
    answer = client.request(method, "/models/1/artifact", headers=headers)
    assert answer.status_code == 503
    assert "etag" not in answer.headers
    if method == "GET":
        assert answer.json()["code"] == "model_unavailable"
        assert "'iris_model_dev_v1.pkl' has other contents" in answer.json()["detail"]
        assert "\0" not in answer.text


@pytest.mark.parametrize(
    ("method", "headers"), [*ASKED.values(), ("GET", {"if-none-match": "*"})], ids=[*ASKED, "whether it changed"]
)
def test_nothing_is_sent_of_a_file_whose_row_was_changed(
    client: TestClient, platform: Platform, method: str, headers: dict[str, str]
) -> None:
    with platform.database.write() as session:
        session.execute(update(DeploymentRow).values(hmac="0" * 64))
    answer = client.request(method, "/models/1/artifact", headers=headers)
    assert answer.status_code == 503
    assert "etag" not in answer.headers


def test_a_file_is_downloaded_by_way_of_a_copy_that_does_not_stay(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = platform.settings.scratch
    before = sorted(scratch.rglob("*"))
    assert client.get("/models/1/artifact").status_code == 200
    assert client.head("/models/1/artifact").status_code == 200
    assert sorted(scratch.rglob("*")) == before
    with Path("/dev/full").open("wb+", buffering=0) as full:
        monkeypatch.setattr("api.http.downloads.tempfile.TemporaryFile", lambda **_: full)
        answer = client.get("/models/1/artifact")
    assert (answer.status_code, answer.json()["code"]) == (503, "scratch_full")


def test_a_download_without_a_scratch_folder_is_refused_with_the_cause(client: TestClient, platform: Platform) -> None:
    scratch = platform.settings.scratch
    scratch.rename(scratch.with_name("away"))
    answer = client.get("/models/1/artifact")
    scratch.with_name("away").rename(scratch)
    assert (answer.status_code, answer.json()["code"]) == (503, "scratch_unavailable")
    assert client.get("/models/1/artifact").status_code == 200


def test_retirement_lets_the_next_lower_version_serve(client: TestClient, platform: Platform) -> None:
    answer = client.post("/models/3/retire", json={"stage": "dev", "reason": " worse "})
    assert answer.status_code == 200
    retirement = answer.json()
    assert (retirement["version"], retirement["stage"], retirement["serving_version"]) == (3, "dev", 2)
    assert retirement["reason"] == "worse"
    stay = client.get("/models/3").json()["deployments"][0]
    assert (stay["active"], stay["retired_reason"], stay["retired_at"]) == (False, "worse", retirement["retired_at"])
    assert client.post("/models/2/retire", json={"stage": "dev"}).json()["serving_version"] == 1


@pytest.mark.parametrize("target", ["dev", "staging"])
def test_a_retirement_from_the_first_stage_is_undone_by_training_again(
    client: TestClient, platform: Platform, target: str
) -> None:
    client.post("/models/3/retire", json={"stage": "dev"}).raise_for_status()
    answer = client.post("/promote", json={"dataset_name": "iris", "version": 3, "target_stage": target})
    assert (answer.status_code, answer.json()["code"]) == (409, "stage_skipped")
    job_id = client.get("/models/3").json()["job_id"]
    told = re.search(r"POST (\S+) trains the same again", answer.json()["detail"])
    assert told is not None
    assert told[1] == f"/jobs/{job_id}/retry"
    again = client.post(told[1])
    assert (again.status_code, again.json()["kind"], again.json()["dataset_name"]) == (202, "train", "iris")
    assert again.json()["job_id"] != job_id
    claim = claim_job(platform.database, UUID(again.json()["job_id"]))
    with platform.database.read() as session:
        data = session.get_one(DatasetVersionRow, claim.dataset_version_id)
    platform.finish(claim, Data(data.dataset_id, data.id), doubling())
    assert client.get("/models/3").json()["deployments"][0]["active"] is False
    assert listed(client, dataset_name="iris", stage="dev") == [5, 2, 1]


WRONG_RETIREMENTS: dict[str, tuple[str, Any, int, str, str]] = {
    "not active there": ("/models/1/retire", {"stage": "staging"}, 409, "not_active", "active in: dev"),
    "an unknown version": ("/models/9/retire", {"stage": "dev"}, 404, "unknown_model", "version 9"),
    "a word for a version": ("/models/x/retire", {"stage": "dev"}, 404, "unknown_model", "a whole number from 1"),
    "an unknown stage": ("/models/1/retire", {"stage": "prod"}, 422, "unknown_stage", "dev, staging, production"),
    "no stage": ("/models/1/retire", {}, 422, "invalid_request", "stage"),
    "an unknown field": ("/models/1/retire", {"stage": "dev", "why": "x"}, 422, "invalid_request", "why"),
    "a long reason": ("/models/1/retire", {"stage": "dev", "reason": "x" * 1001}, 422, "invalid_request", "reason"),
    "a stage that is no text": ("/models/1/retire", {"stage": 1}, 422, "invalid_request", "stage"),
    "no object": ("/models/1/retire", [], 422, "invalid_request", ""),
}


@pytest.mark.parametrize("wrong", WRONG_RETIREMENTS.values(), ids=WRONG_RETIREMENTS.keys())
def test_a_wrong_retirement_is_refused(
    one_client: TestClient, one_platform: Platform, wrong: tuple[str, Any, int, str, str]
) -> None:
    path, body, status, code, said = wrong
    answer = one_client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert said in answer.json()["detail"]
    assert listed(one_client, stage="dev") == [4, 3, 2, 1]


def test_models_have_their_target_and_are_found_by_it(client: TestClient, platform: Platform) -> None:
    weight = platform.train(platform.dataset("fish"), with_target(iris_forest(), "weight"), name="fish")
    assert client.get(f"/models/{weight}").json()["target"] == "weight"
    assert listed(client, target="weight") == [weight]
    assert listed(client, target="weight", dataset_name="iris") == []
    assert {model["target"] for model in client.get("/models").json()["items"]} == {"target", "weight"}


def test_a_retirement_that_would_change_the_target_has_to_be_asked_for(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("fish")
    first = platform.train(data, name="fish")
    second = platform.train(data, with_target(iris_forest(), "weight"), name="fish")
    answer = client.post(f"/models/{second}/retire", json={"stage": "dev"})
    assert (answer.status_code, answer.json()["code"]) == (409, "target_differs")
    assert f"After it version {first} would serve in 'dev', which predicts 'target'" in answer.json()["detail"]
    retirement = client.post(f"/models/{second}/retire", json={"stage": "dev", "replace_target": True}).json()
    assert (retirement["target"], retirement["serving_version"]) == ("weight", first)
    assert retirement["serving_target"] == "target"
