"""Query parameters that a route does not have are refused, whatever the route."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from api.app import create_app
from api.http.query import declared_names
from api.protocols.forms import form_at
from api.routes.predict_csv import CsvRoute
from shared.settings import Settings
from tests.support.jobs import TRAIN_REQUEST

pytestmark = pytest.mark.any_stack

DOCUMENT = create_app(Settings(home=Path("never-opened"))).openapi()
OPERATIONS = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]
FILE = {"file": ("one.csv", b"a,b\n1,2\n")}


def _request(client: TestClient, method: str, path: str, query: str, *, in_csv: bool = False) -> Any:
    named = {"name": "one", "model": "one", "dataset": "one", "environment": "dev", "module": "a", "class": "b"}
    address = path.format(**named, version=1, job_id=5, code="x", key_id=1, login_id="x")
    if in_csv:
        headers = {"content-type": "text/csv"}
        return client.request(method, f"{address}?{query}", content=b"a\n1\n", headers=headers)
    if address == "/auth/token":
        return client.post(f"{address}?{query}", data={"username": "anna"})
    return client.request(method, f"{address}?{query}", json={} if method in {"POST", "PATCH"} else None)


@pytest.mark.asvs("14.2.1")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_route_refuses_a_parameter_that_it_does_not_have(one_client: TestClient, method: str, path: str) -> None:
    answer = _request(one_client, method, path, "zzz=1")
    if form_at(path) is not None:
        assert answer.status_code == 400
        assert "There is no query parameter 'zzz'." in answer.text
        return
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert [problem["loc"] for problem in answer.json()["errors"]] == [["query", "zzz"]]


@pytest.mark.asvs("15.3.7")
def test_every_declared_parameter_is_known_and_refused_when_it_comes_twice(app: FastAPI, client: TestClient) -> None:
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    tried = 0
    for route in routes:
        for name in declared_names(route) if isinstance(route, APIRoute) else []:
            assert isinstance(route, APIRoute)
            twice = f"{name}=1&{name}=1"
            answer = _request(client, min(route.methods or ()), route.path, twice, in_csv=isinstance(route, CsvRoute))
            said = f"The query parameter '{name}' is given more than once. Give it once."
            if form_at(route.path) is None:
                assert answer.json()["errors"] == [{"loc": ["query", name], "msg": said}]
            else:
                assert said in answer.text
            tried += 1
    assert tried > 10


def test_a_misspelt_archive_deletes_nothing(client: TestClient) -> None:
    assert client.post("/datasets/upload", files=FILE).status_code == 201
    answer = client.delete("/datasets/one?archve=true")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "There is no query parameter 'archve'. Did you mean 'archive'?"
    assert client.get("/datasets/one").status_code == 200


def test_a_misspelt_dry_run_trains_nothing(one_client: TestClient) -> None:
    answer = one_client.post("/train?dryrun=true", json=TRAIN_REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "Did you mean 'dry_run'?" in answer.json()["detail"]
    assert one_client.get("/jobs").json()["items"] == []


def test_an_upload_with_an_unknown_parameter_is_not_kept(one_client: TestClient) -> None:
    answer = one_client.post("/datasets/upload?name=two", files=FILE)
    assert answer.json()["detail"] == "There is no query parameter 'name'. The parameters are: dry_run."
    assert one_client.get("/datasets").json()["items"] == []


def test_several_problems_are_all_told(one_client: TestClient) -> None:
    answer = one_client.get("/jobs?limt=1&state=queued&limit=1&limit=2").json()
    assert [problem["loc"][1] for problem in answer["errors"]] == ["limt", "state", "limit"]
    assert "(3 problems in all" in answer["detail"]
    assert answer["problem_count"] == 3
