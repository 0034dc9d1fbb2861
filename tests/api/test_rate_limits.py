"""How many requests a user may send, and who counts for whom."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr

from api.app import create_app
from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Scope
from shared.accounts.users import find_user
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user
from tests.support.application import parts_of
from tests.support.servers import Valkey
from tests.support.stack import NO_REDIS, Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

LIMIT = 5


@pytest.fixture
def limited(tmp_path: Path, stack: Stack, valkey: Valkey) -> Iterator[Settings]:
    """Settings with a small limit, and a Redis where nothing is counted yet."""
    with stack.settings(tmp_path / "home") as settings:
        url = SecretStr(valkey.fresh_database())
        yield settings.model_copy(update={"rate_limit": LIMIT, "redis_url": url})


@pytest.fixture
def client_of_one(limited: Settings) -> Iterator[TestClient]:
    """A client of one application that limits requests."""
    with TestClient(create_app(limited)) as client:
        yield client


def key_of(client: TestClient, name: str) -> dict[str, str]:
    """The header of a new user, of whom the process has heard."""
    parts = parts_of(client)
    add_user(parts.database, name)
    with parts.database.write() as session:
        user = find_user(session, name)
        _, text = create_key(session, user, name="for a test", scopes=[Scope.READ, Scope.PREDICT])
    eventually(parts.access.known.is_on)
    return {"X-API-Key": text}


def left(answer: Response) -> int:
    """How many more may come, as an answer says it."""
    assert answer.headers["RateLimit-Policy"] == f'"requests";q={LIMIT};w=60'
    found = re.fullmatch(r'"requests";r=(\d+);t=\d+', answer.headers["RateLimit"])
    assert found is not None
    return int(found[1])


def refused(answer: Response) -> bool:
    """Whether an answer is that there were too many."""
    if answer.status_code != 429:
        return False
    problem = answer.json()
    assert (problem["code"], problem["setting"], problem["limit"]) == ("rate_limited", "MLMINI_RATE_LIMIT", LIMIT)
    assert 1 <= problem["retry_after"] == int(answer.headers["Retry-After"]) <= 12
    assert left(answer) == 0
    return True


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_two_processes_count_the_requests_of_a_user_together(limited: Settings) -> None:
    with TestClient(create_app(limited)) as one, TestClient(create_app(limited)) as other:
        anna, bert = key_of(one, "anna"), key_of(one, "bert")
        eventually(parts_of(other).access.known.is_on)
        answers = [client.get("/datasets", headers=anna) for client in (one, other, one, other, one, other)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [left(answer) for answer in answers] == [4, 3, 2, 1, 0, 0]
        assert refused(answers[-1])
        assert "from 'anna'" in answers[-1].json()["detail"]
        assert left(other.get("/datasets", headers=bert)) == LIMIT - 1


def test_two_processes_count_wrong_passwords_together(limited: Settings) -> None:
    settings = limited.model_copy(update={"rate_limit": 0})
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        add_user(parts_of(one).database, "anna")
        wrong, right = {"username": "anna", "password": "wrong"}, {"username": "anna", "password": PASSWORD}
        answers = [client.post("/auth/token", data=wrong) for client in (one, other) * 4]
        assert [answer.status_code for answer in answers[:5]] == [401] * 5
        problem, headers = answers[-1].json(), answers[-1].headers
        assert (problem["code"], headers["Retry-After"]) == ("too_many_logins", str(problem["retry_after"]))
        assert headers["RateLimit-Policy"] == '"logins-of-name";q=5'
        assert headers["RateLimit"] == f'"logins-of-name";r=0;t={problem["retry_after"]}'
        form = other.post("/login", data={"name": "anna", "password": "wrong"})
        assert (form.status_code, "RateLimit" in form.headers, "Retry-After" in form.headers) == (429, True, True)
        eventually(lambda: one.post("/auth/token", data=right).status_code == 200)
        # That counts in both: five more are free.
        assert [other.post("/auth/token", data=wrong).status_code for _ in range(5)] == [401] * 5


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v2/health/live", "/v2/models/iris/ready"])
def test_whoever_looks_whether_all_is_well_is_not_counted(client_of_one: TestClient, path: str) -> None:
    anna = key_of(client_of_one, "anna")
    answers = [client_of_one.get(path, headers=anna) for _ in range(LIMIT + 2)]
    assert 429 not in {answer.status_code for answer in answers}
    assert not any("RateLimit" in answer.headers for answer in answers)


def test_without_accounts_nothing_is_counted(client_of_one: TestClient) -> None:
    answers = [client_of_one.get("/datasets") for _ in range(LIMIT + 2)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("RateLimit" in answer.headers for answer in answers)


@pytest.mark.asvs("2.3.2", "2.4.1")
def test_wrong_credentials_count_for_their_address_and_not_for_anybody(client_of_one: TestClient) -> None:
    anna = key_of(client_of_one, "anna")
    wrong = {"X-API-Key": anna["X-API-Key"][:-1] + ("0" if anna["X-API-Key"][-1] != "0" else "1")}
    answers = [client_of_one.get("/datasets", headers=wrong) for _ in range(LIMIT + 1)]
    assert [answer.status_code for answer in answers] == [401] * LIMIT + [429]
    assert refused(answers[-1])
    assert "from the address testclient" in answers[-1].json()["detail"]
    # So do those without one, also where nobody has to say who they are, and tries to log in.
    assert refused(client_of_one.get("/datasets"))
    assert refused(client_of_one.get("/version"))
    assert refused(client_of_one.post("/auth/token", data={"username": "anna", "password": "wrong"}))
    assert left(client_of_one.get("/datasets", headers=anna)) == LIMIT - 1


def test_what_a_user_may_not_do_is_counted_too(client_of_one: TestClient) -> None:
    anna = key_of(client_of_one, "anna")
    answers = [client_of_one.get("/users", headers=anna) for _ in range(LIMIT + 1)]
    assert [answer.status_code for answer in answers] == [403] * LIMIT + [429]


def test_predictions_have_a_budget_of_their_own_that_is_off_at_first(client_of_one: TestClient) -> None:
    anna = key_of(client_of_one, "anna")
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[1.0]]}}
    answers = [client_of_one.post("/predict", json=body, headers=anna) for _ in range(LIMIT + 1)]
    assert {answer.status_code for answer in answers} == {404}
    assert not any("RateLimit" in answer.headers for answer in answers)
    assert left(client_of_one.get("/datasets", headers=anna)) == LIMIT - 1


def test_a_limit_of_predictions_holds_for_them_alone(limited: Settings) -> None:
    settings = limited.model_copy(update={"predict_rate_limit": 2})
    with TestClient(create_app(settings)) as client:
        anna = key_of(client, "anna")
        body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[1.0]]}}
        answers = [client.post("/predict", json=body, headers=anna) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert answers[-1].headers["RateLimit"].startswith('"predictions";r=0;t=')
        v2 = client.post("/v2/models/iris/infer", json={}, headers=anna)
        assert (v2.status_code, set(v2.json()), v2.headers["Retry-After"]) == (429, {"error"}, "30")
        mlflow = client.post("/serve/iris/invocations", json={}, headers=anna)
        assert (mlflow.status_code, mlflow.json()["error_code"]) == (429, "RESOURCE_EXHAUSTED")
        assert client.get("/datasets", headers=anna).status_code == 200


def test_pages_of_trusted_origins_may_read_what_is_left(limited: Settings) -> None:
    settings = limited.model_copy(update={"cors_origins": ("https://ml.example.org",)})
    with TestClient(create_app(settings)) as client:
        answer = client.get("/version", headers={"Origin": "https://ml.example.org"})
        assert {"RateLimit", "RateLimit-Policy"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))


def test_without_redis_a_process_counts_by_itself_and_says_so(limited: Settings) -> None:
    with TestClient(create_app(limited.model_copy(update={"redis_url": NO_REDIS}))) as client:
        anna = key_of(client, "anna")
        answers = [client.get("/metrics", headers=anna) for _ in range(LIMIT + 1)]
        assert [answer.status_code for answer in answers] == [200] * LIMIT + [429]
        assert "mlmini_rate_limits_apart 1.0" in answers[1].text
