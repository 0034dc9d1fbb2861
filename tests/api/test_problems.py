"""Every error is one form of body, with a status and a code that stay."""

import json
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from pydantic import Field
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from api.app import create_app
from api.http.json_body import StrictRoute
from api.http.problems import explain, known_codes, problem
from api.http.reading_fields import READING_FIELDS
from api.http.statuses import STATUSES, status_of
from api.schemas.base import RequestBody
from shared.errors import (
    DatabaseUnavailable,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    PlatformError,
    TooManyLogins,
    UnknownDataset,
    leaves,
)
from shared.settings import Settings
from shared.tables.findings import FindingCode

pytestmark = pytest.mark.any_stack


@pytest.mark.parametrize("error", list(leaves()), ids=lambda error: error.__name__)
def test_every_error_has_a_status_a_code_and_an_explanation(error: type[PlatformError]) -> None:
    explained = explain(error)
    assert explained.status in STATUSES.values()
    assert explained.code == error.code
    assert explained.explanation.endswith(".")
    assert explained.hint.endswith(".")
    assert explained.hint not in explained.explanation


@pytest.mark.parametrize(
    "category", [c for c in STATUSES if c is not PlatformError], ids=lambda category: category.__name__
)
def test_only_errors_of_the_server_are_answered_with_500(category: type[PlatformError]) -> None:
    assert status_of(category) != 500


def test_codes_are_unique() -> None:
    errors = list(leaves())
    assert len({error.code for error in errors}) == len(errors)


def test_every_code_is_explained_where_its_type_points(client: TestClient) -> None:
    listed = client.get("/errors").json()["items"]
    assert [item["code"] for item in listed] == list(known_codes())
    for item in listed:
        assert client.get(f"/errors/{item['code']}").json() == item


def test_an_unknown_code_is_a_404_with_a_suggestion(client: TestClient) -> None:
    answer = client.get("/errors/unknown_colum")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "Did you mean 'unknown_column'?" in answer.json()["detail"]


def test_every_finding_is_explained(client: TestClient) -> None:
    listed = client.get("/findings").json()["items"]
    assert [item["code"] for item in listed] == sorted(FindingCode)
    for item in listed:
        assert all(item.values())
        assert client.get(f"/findings/{item['code']}").json() == item


def test_an_unknown_finding_is_a_404_with_a_suggestion(client: TestClient) -> None:
    answer = client.get("/findings/nearly_numerical")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "Did you mean 'nearly_numeric'?" in answer.json()["detail"]


def test_a_problem_has_the_members_of_the_contract() -> None:
    answer = problem(UnknownDataset("There is no dataset 'a'."), "id-1")
    assert answer.media_type == "application/problem+json"
    assert _json(answer) == {
        "type": "/errors/unknown_dataset",
        "title": "Unknown dataset",
        "status": 404,
        "code": "unknown_dataset",
        "detail": "There is no dataset 'a'.",
        "request_id": "id-1",
    }


def test_an_unavailable_part_says_when_to_come_back() -> None:
    answer = problem(DatabaseUnavailable(), "id-1")
    assert int(answer.headers["retry-after"]) == _json(answer)["retry_after"] > 0


def test_who_has_to_wait_or_to_say_who_it_is_learns_that_from_the_headers() -> None:
    answer = problem(TooManyLogins(retry_after=7), "id-1")
    assert (answer.status_code, answer.headers["retry-after"], _json(answer)["retry_after"]) == (429, "7", 7)
    answer = problem(NotAuthenticated(), "id-1")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    answer = problem(NotAllowed(), "id-1")
    assert (answer.status_code, "www-authenticate" in answer.headers) == (403, False)


NAMED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "a stage": (
        "GET",
        "/models?stage=stagging",
        {},
        {"did_you_mean": "staging", "available": ["dev", "staging", "production"]},
    ),
    "a query parameter": ("GET", "/jobs?statsu=queued", {}, {"did_you_mean": "status"}),
    "a code": ("GET", "/errors/unknown_colum", {}, {"did_you_mean": "unknown_column"}),
    "an estimator": (
        "GET",
        "/estimators/ensemble/RandomForestClassifer",
        {},
        {"did_you_mean": "ensemble.RandomForestClassifier"},
    ),
    "a body": (
        "POST",
        "/train",
        {"content": b"x" * (4 * 2**20 + 1)},
        {"limit": 4 * 2**20, "setting": "MLMINI_JSON_MAX_BYTES"},
    ),
    "a file": (
        "POST",
        "/datasets/upload",
        {"content": b"", "headers": {"Content-Length": str(2**40)}},
        {"limit": 8 * 2**30 + 2**16 + sum(READING_FIELDS.values()), "setting": "MLMINI_UPLOAD_MAX_BYTES"},
    ),
    "a table": (
        "POST",
        "/datasets/upload",
        {"files": {"file": ("a.csv", ",".join(f"c{n}" for n in range(5_001)) + "\n1")}},
        {"limit": 5_000, "setting": "MLMINI_TABLE_MAX_COLUMNS"},
    ),
    "an example": (
        "POST",
        "/train",
        {"json": {"dataset_name": "iriss", "use_example": True, "model": {"module": "svm", "class": "SVC"}}},
        {"did_you_mean": "iris", "available": ["breast_cancer", "diabetes", "iris", "wine"]},
    ),
    "a column": (
        "POST",
        "/train",
        {
            "json": {
                "dataset_name": "iris",
                "use_example": True,
                "target_column": "targets",
                "model": {"module": "svm", "class": "SVC"},
            }
        },
        {
            "did_you_mean": "target",
            "available": ["sepal_length", "sepal_width", "petal_length", "petal_width", "target"],
        },
    ),
}


@pytest.mark.parametrize(("method", "path", "sent", "members"), NAMED.values(), ids=NAMED)
def test_what_the_detail_names_stands_in_members_of_the_problem(
    *, one_client: TestClient, method: str, path: str, sent: dict[str, Any], members: dict[str, Any]
) -> None:
    found = one_client.request(method, path, **sent).json()
    assert {name: found.get(name) for name in members} == members
    if "setting" in members:
        assert members["setting"] in found["detail"]


def test_the_members_are_described(one_client: TestClient) -> None:
    described = one_client.get("/openapi.json").json()["components"]["schemas"]["Problem"]["properties"]
    assert {"did_you_mean", "available", "limit", "setting", "retry_after"} <= set(described)


def test_members_that_clients_named_are_shown_escaped() -> None:
    found = _json(problem(UnknownDataset("a", did_you_mean="a\x00b", available=["\u202e"]), "id-1"))
    assert (found["did_you_mean"], found["available"]) == (r"a\x00b", [r"\u202e"])


@pytest.mark.asvs("1.1.2")
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\x00b\r\nX-Header: 1", r"a\x00b\r\nX-Header: 1"),
        ("\ud800", r"\ud800"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("It is 'é' 😀", "It is 'é' 😀"),
    ],
)
def test_odd_characters_of_clients_are_shown_escaped(given: str, shown: str) -> None:
    assert _json(problem(UnknownDataset(given), "id-1"))["detail"] == shown


def test_long_values_of_clients_are_shown_shortened() -> None:
    detail = _json(problem(UnknownDataset(f"There is no '{'a' * 5000}'. It's not there."), "id-1"))["detail"]
    assert detail == f"There is no '{'a' * 100}…'. It's not there."
    assert len(_json(problem(UnknownDataset("a" * 5000), "id-1"))["detail"]) == 1000


def test_at_most_a_hundred_problems_are_listed() -> None:
    problems = [{"loc": ["body", number], "msg": "\x00" * 9000} for number in range(500)]
    listed = _json(problem(InvalidInput("Many.", errors=problems), "id-1"))["errors"]
    assert len(listed) == 100
    assert all(len(problem["msg"]) < 5000 for problem in listed)


class _Inner(RequestBody):
    class_: str = Field(alias="class")
    depth: int = 1


class _Outer(RequestBody):
    name: str
    inner: _Inner | None = None
    several: list[_Inner] = Field(default_factory=list)


@pytest.fixture
def trial(api_settings: Settings) -> FastAPI:
    """The application with routes that go wrong on purpose."""
    app = create_app(api_settings)
    app.router.route_class = StrictRoute
    app.state.most_lists = 100

    @app.post("/trial")
    def take(body: _Outer, number: int = 0) -> None:
        del body, number

    @app.get("/trial/{number}")
    def count(number: int) -> None:
        del number

    @app.get("/bug")
    def crash() -> None:
        raise RuntimeError("the password is swordfish, at /home/secret")

    return app


FAULTS = [
    ({}, ["body", "name"], "It is required."),
    ({"name": 5}, ["body", "name"], "It must be a text, not 5."),
    ({"name": "a", "nam": 1}, ["body", "nam"], "There is no such field. Did you mean 'name'?"),
    ({"name": "a", "zzz": 1}, ["body", "zzz"], "There is no such field. The fields are inner, name, several."),
    ({"name": "a", "inner": {"clas": "b"}}, ["body", "inner", "class"], "It is required."),
    (
        {"name": "a", "inner": {"class": "b", "dept": 1}},
        ["body", "inner", "dept"],
        "There is no such field. Did you mean 'depth'?",
    ),
    (
        {"name": "a", "several": [{"class": "b"}, {"class": "b", "clas": 1}]},
        ["body", "several", 1, "clas"],
        "There is no such field. Did you mean 'class'?",
    ),
    (
        {"name": "a", "inner": {"class": "b", "depth": "1"}},
        ["body", "inner", "depth"],
        "It must be a whole number, not '1'.",
    ),
    ({"name": True}, ["body", "name"], "It must be a text, not true."),
    ({"name": None}, ["body", "name"], "It must be a text, not null."),
    ({"name": "a", "several": {}}, ["body", "several"], "It must be a list."),
    ({"name": "a", "inner": 5}, ["body", "inner"], "It must be an object, not 5."),
    ({"name": "a", "inner": {"class": "b", "depth": 1.5}}, ["body", "inner", "depth"], "a whole number, not 1.5."),
    ([], ["body"], "It must be an object."),
]


@pytest.mark.asvs("15.3.3", "15.3.5")
@pytest.mark.parametrize(("body", "place", "words"), FAULTS)
def test_a_body_of_the_wrong_form_is_told_where_and_how(
    trial: FastAPI, body: object, place: list[str | int], words: str
) -> None:
    with TestClient(trial) as client:
        answer = client.post("/trial", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"
    assert any(words in problem["msg"] for problem in answer.json()["errors"] if problem["loc"] == place)


def test_the_first_of_many_problems_is_the_detail_and_their_number_is_told(trial: FastAPI) -> None:
    with TestClient(trial) as client:
        answer = client.post("/trial?number=x", json={"name": 1, "nam": 2})
    assert answer.json()["detail"].startswith("Query parameter 'number': it must be a whole number, not 'x'.")
    assert "(3 problems in all" in answer.json()["detail"]


def test_a_path_that_cannot_be_right_is_not_found(trial: FastAPI) -> None:
    with TestClient(trial) as client:
        answer = client.get("/trial/abc")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.asvs("16.3.4", "16.5.1")
def test_an_unforeseen_error_is_logged_under_the_request_id_and_leaks_nothing(
    trial: FastAPI,
) -> None:
    with TestClient(trial) as client, capture_logs(processors=[merge_contextvars]) as logs:
        answer = client.get("/bug", headers={"X-Request-ID": "the-id"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "the-id"
    assert answer.json()["code"] == "internal_error"
    assert "the-id" in answer.json()["detail"]
    assert "swordfish" not in answer.text
    assert "Traceback" not in answer.text
    (line,) = [line for line in logs if line["event"] == "request_failed"]
    assert (line["request_id"], line["log_level"], line["exc_info"]) == ("the-id", "error", True)


def _json(answer: Response) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(bytes(answer.body))
    return body
