"""POST /train: what is accepted, and the dry run."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.parts import Parts
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.jobs.rows import JobRow
from tests.support.training_requests import FOREST, body, model, refused, upload_customers


@pytest.fixture
def customers(client: TestClient, tmp_path: Path) -> str:
    """The name of an uploaded dirty table."""
    return upload_customers(client, tmp_path)


def count_jobs(database: Database) -> int:
    with database.read() as session:
        return session.query(JobRow).count()


def test_a_training_on_an_example_is_accepted_on_a_fresh_home(client: TestClient) -> None:
    answer = client.post("/train", json=body())
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{job['job_id']}"
    assert answer.headers["retry-after"] == "1"
    assert job["kind"] == "train"
    assert job["status"] == "queued"
    assert job["request"] == {
        "dataset_name": "iris",
        "dataset_version": 1,
        "model": FOREST,
        "target_column": "target",
        "features": None,
        "test_size": 0.2,
        "sample_weight": None,
        "preprocessing": "auto",
        "split": {"method": "random", "by": None, "folds": None},
        "random_state": 42,
    }


def test_a_training_on_an_uploaded_table_is_accepted(client: TestClient, customers: str) -> None:
    wanted = body(
        dataset_name=customers,
        use_example=False,
        target_column="target",
        features=["city", "age"],
        dataset_version=1,
        test_size=0.3,
        random_state=7,
        model={"module": "sklearn.linear_model", "class": "LogisticRegression"},
    )
    answer = client.post("/train", json=wanted)
    assert answer.status_code == 202
    assert answer.json()["request"]["features"] == ["city", "age"]
    assert answer.json()["request"]["model"]["params"] == {}


@pytest.mark.any_stack
def test_tags_and_a_note_go_with_the_training(client: TestClient) -> None:
    wanted = body(tags=["team:fraud", "baseline", "baseline"], note=" the first ")
    job = client.post("/train", json=wanted).json()
    assert job["request"]["tags"] == ["baseline", "team:fraud"]
    assert job["request"]["note"] == "the first"
    blank = client.post("/train", json=body(tags=[], note=" ")).json()["request"]
    assert {"tags", "note"} & set(blank) == set()
    for changes, place in (
        ({"tags": ["a tag"]}, ["tags", 0]),
        ({"note": "a" * 2001}, ["note"]),
        ({"tags": "a"}, ["tags"]),
    ):
        answer = refused(client.post("/train", json=body(**changes)), 422, "invalid_request")
        assert answer["errors"][0]["loc"] == ["body", *place]


@pytest.mark.any_stack
def test_a_model_with_others_inside_is_accepted_and_kept_as_it_was_sent(client: TestClient, customers: str) -> None:
    tree, near = model("tree", "DecisionTreeClassifier", max_depth=2), model("neighbors", "KNeighborsClassifier")
    wanted = body(
        dataset_name=customers,
        use_example=False,
        target_column="target",
        model=model("ensemble", "VotingClassifier", estimators=[["tree", tree], ["near", near]], voting="soft"),
    )
    dry = client.post("/train?dry_run=true", json=wanted).json()
    assert (dry["valid"], dry["request"]["model"]) == (True, wanted["model"])
    # Trees take gaps, and neighbours do not: all columns are prepared for both.
    (age,) = [entry for entry in dry["recipe"] if entry["column"] == "age"]
    assert "missing values become the median" in age["treatment"]
    assert "scaled" in age["treatment"]
    assert client.post("/train", json=wanted).json()["request"]["model"] == wanted["model"]
    wrong = body(model=model("ensemble", "VotingClassifier", estimators=[["a__b", tree]], voting="soft"))
    (problem,) = client.post("/train?dry_run=true", json=wrong).json()["problems"]
    assert problem["errors"][0]["loc"] == ["body", "model", "params", "estimators", 0, 0]


def test_names_are_found_as_the_file_writes_them(client: TestClient) -> None:
    written = "Qualite\u0301,cafe\u0301,\u200bprix\n"
    table = written + "bon,Orl\u00e9ans,5\nmauvais,Paris,7\n" * 20
    kinds = {"\u200bprix": "number", "cafe\u0301 ": "category"}
    upload = client.post(
        "/datasets/upload", files={"file": ("cafes.csv", table.encode())}, data={"kinds": json.dumps(kinds)}
    )
    assert upload.json()["reading"]["kinds"] == {"prix": "number", "caf\u00e9": "category"}
    wanted = body(
        dataset_name="cafes", use_example=False, target_column="Qualite\u0301", features=["cafe\u0301", "prix"]
    )
    answer = client.post("/train", json=wanted)
    assert answer.status_code == 202, answer.text
    assert answer.json()["request"]["target_column"] == "Qualit\u00e9"
    assert answer.json()["request"]["features"] == ["caf\u00e9", "prix"]


def test_the_same_key_and_body_answer_with_the_same_job(client: TestClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = client.post("/train", json=body(), headers=headers)
    again = client.post("/train", json=body(), headers=headers)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert again.status_code == 202
    other = client.post("/train", json=body(random_state=1), headers=headers)
    refused(other, 422, "idempotency_key_reused")


def test_a_dry_run_tells_what_would_run_and_makes_no_job(
    client: TestClient, api_database: Database, customers: str
) -> None:
    wanted = body(dataset_name=customers, use_example=False, target_column="target")
    answer = client.post("/train?dry_run=true", json=wanted)
    dry = answer.json()
    assert answer.status_code == 200
    assert dry["valid"] is True
    assert dry["problems"] == []
    assert dry["request"]["dataset_version"] == 1
    assert dry["request"]["model"]["class"] == "RandomForestClassifier"
    treated = {column["column"]: column for column in dry["recipe"]}
    assert treated["customer_id"]["role"] == "left_out"
    assert treated["city"]["role"] == "category"
    assert count_jobs(api_database) == 0


@pytest.mark.any_stack
@pytest.mark.parametrize("estimator", ["RandomForestClassifier", "RandomForestRegressor"])
def test_a_dry_run_tells_what_the_reading_found_whether_the_training_is_valid_or_not(
    client: TestClient, api_database: Database, customers: str, estimator: str
) -> None:
    found = [
        {"code": "gap_word", "column": "target", "line": 3, "count": 4, "detail": "'None' counts as missing."},
        {"code": "trimmed", "column": "city", "line": 2, "count": 1, "detail": "A blank was removed."},
    ]
    with api_database.write() as session:
        session.execute(update(DatasetVersionRow).values(findings=found))
    wanted = body(dataset_name=customers, use_example=False, target_column="target", model=model("ensemble", estimator))
    dry = client.post("/train?dry_run=true", json=wanted).json()
    lost = "4 rows are left out, because the target counts as missing there. 'None' counts as missing."
    assert dry["valid"] is (estimator == "RandomForestClassifier")
    assert dry["notes"] == [lost, *(["Column 'city': A blank was removed."] if dry["valid"] else [])]


@pytest.mark.parametrize("target", ["target", None, "nope"])
def test_a_dry_run_on_an_example_leaves_nothing_behind(
    client: TestClient, parts: Parts, api_database: Database, target: str | None
) -> None:
    dry = client.post("/train?dry_run=true", json=body(target_column=target)).json()
    assert dry["valid"] is (target != "nope")
    assert dry["request"]["dataset_version"] == 1
    with api_database.read() as session:
        assert session.query(DatasetRow).count() == session.query(DatasetVersionRow).count() == 0
    assert list(parts.store.list(parts.settings.datasets_bucket)) == []
    assert [path.name for path in parts.reader.folder.iterdir()] == ["owner.lock"]
    # What it told is what comes of it.
    assert client.post("/train", json=body()).json()["request"] == dry["request"] | {"target_column": "target"}
    again = client.post("/train?dry_run=true", json=body(target_column=target)).json()
    assert again == dry


def test_a_dry_run_does_not_bring_an_archived_example_back(client: TestClient) -> None:
    assert client.post("/train", json=body()).status_code == 202
    assert client.delete("/datasets/iris?archive=true").is_success
    assert client.post("/train?dry_run=true", json=body()).json()["valid"] is True
    assert client.get("/datasets").json()["items"] == []


def test_a_dry_run_tells_of_an_example_whose_name_is_taken(client: TestClient) -> None:
    file = ("iris.csv", b"a,b\n1,2\n", "text/csv")
    assert client.post("/datasets/upload", files={"file": file}).status_code == 201
    dry = client.post("/train?dry_run=true", json=body()).json()
    assert [problem["code"] for problem in dry["problems"]] == ["example_name_taken"]


@pytest.mark.any_stack
def test_a_dry_run_tells_every_problem(one_client: TestClient) -> None:
    wanted = body(test_size=2, target_column="nope", model=model("svm", "SVM"))
    dry = one_client.post("/train?dry_run=true", json=wanted).json()
    assert dry["valid"] is False
    assert dry["recipe"] is None
    assert [problem["code"] for problem in dry["problems"]] == ["unknown_estimator", "unknown_column", "invalid_split"]
    assert all(problem["title"] and problem["detail"] and problem["errors"] for problem in dry["problems"])


@pytest.mark.any_stack
def test_a_dry_run_on_a_table_that_is_not_there_says_so(one_client: TestClient) -> None:
    wanted = body(dataset_name="nowhere", use_example=False, target_column="y")
    answer = one_client.post("/train?dry_run=true", json=wanted)
    assert answer.status_code == 200
    assert answer.json()["request"] is None
    assert [problem["code"] for problem in answer.json()["problems"]] == ["unknown_dataset"]


@pytest.mark.any_stack
def test_a_body_that_is_no_training_is_refused_by_a_dry_run_too(one_client: TestClient) -> None:
    refused(one_client.post("/train?dry_run=true", json={"dataset": "iris"}), 422, "invalid_request")
    refused(one_client.post("/train?dry_run=perhaps", json=body()), 422, "invalid_request")
