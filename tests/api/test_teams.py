"""What is a team's is there for its members only: for others each answer is as if it were not there."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import httpx2
import pytest

from api.access.rules import RULES
from api.rpc.messages import MESSAGES
from shared.accounts.permissions import Role
from shared.database import Database
from shared.datasets.catalog import delete_dataset
from shared.errors import DatabaseUnavailable
from shared.jobs.acceptance import accept
from shared.jobs.states import Kind
from shared.registry.deployments import begin_change
from shared.registry.teams import give_dataset
from tests.support.rpc import request, typed
from tests.support.stack import Stack
from tests.support.team_site import ABSENT, OPEN, SECRET, TABLE, TEAM, TeamSite, team_site
from tests.support.team_site import OTHERS as OTHERS_TEAM
from tests.support.waiting import eventually, somebody_waits

NO_JOB, NO_VERSION = UUID(int=7), 7777
FEATURES = {"input_data": {"features": [[1.0]]}}
TENSORS = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}]}
MODEL = {"module": "linear_model", "class": "LinearRegression"}
TRAINING = {"dataset_name": "{d}", "target_column": "target", "model": MODEL}
SPLIT = {"dataframe_split": {"columns": ["x"], "data": [[1.0]]}}


class Case(NamedTuple):
    """A request about a dataset, a version or a job; `{d}`, `{v}` and `{j}` stand for them, in the body too.

    `least` is the least role that may send it, and `member` what members are answered who may.
    """

    address: str
    least: Role
    member: int
    query: dict[str, Any] = {}  # noqa: RUF012 - of a tuple, which nobody changes
    body: Any = None
    stranger: int = 404


VIEWER, TRAINER, APPROVER, ADMIN = Role.VIEWER, Role.TRAINER, Role.APPROVER, Role.ADMIN
RANKS = [VIEWER, TRAINER, APPROVER, ADMIN]
# Written by hand, the figure of the wall: every address that takes a dataset, a version or a job.
CASES = [
    Case("GET /datasets/{name}", VIEWER, 200),
    Case("GET /datasets/{name}/versions", VIEWER, 200),
    Case("GET /datasets/{name}/preview", VIEWER, 200),
    Case("GET /datasets/{name}/preview", VIEWER, 200, {"version": 1}),
    Case("GET /datasets/{name}/profile", VIEWER, 200),
    Case("GET /datasets/{name}/profile", VIEWER, 200, {"target": "target"}),
    Case("GET /datasets/{name}/diff", VIEWER, 200),
    Case("POST /datasets/{name}/reread", TRAINER, 200, {"dry_run": True}),
    Case("POST /datasets/{name}/reread", TRAINER, 200),
    Case("PATCH /datasets/{name}", TRAINER, 403, body={"team": TEAM}),
    Case("POST /train", TRAINER, 200, {"dry_run": True}, TRAINING, stranger=200),
    Case("POST /train", TRAINER, 422, {}, TRAINING | {"target_column": "none"}),
    Case("POST /train", TRAINER, 422, {}, TRAINING | {"target_column": "none", "reuse": True}),
    Case("GET /jobs", VIEWER, 200, {"dataset_name": "{d}"}),
    Case("GET /jobs/{job_id}", VIEWER, 200),
    Case("GET /jobs/{job_id}", VIEWER, 200, {"wait": 1}),
    Case("GET /jobs/{job_id}/events", VIEWER, 200),
    Case("GET /jobs/{job_id}/logs", VIEWER, 200),
    Case("GET /jobs/{job_id}/output", VIEWER, 200),
    Case("POST /jobs/{job_id}/cancel", TRAINER, 403),
    Case("POST /jobs/{job_id}/retry", TRAINER, 403),
    Case("GET /models", VIEWER, 200, {"dataset_name": "{d}"}),
    Case("GET /models/compare", VIEWER, 200, {"versions": "{o},{v}"}),
    Case("GET /models/{version}", VIEWER, 200),
    Case("GET /models/{version}/artifact", VIEWER, 200),
    Case("GET /models/{version}/report", VIEWER, 200),
    Case("GET /models/{version}/card", VIEWER, 200),
    Case("PATCH /models/{version}", TRAINER, 200, body={"note": "Seen."}),
    Case("POST /models/{version}/reproduce", TRAINER, 409),
    Case("POST /models/{version}/retire", APPROVER, 409, body={"stage": "production", "reason": "A test."}),
    Case("POST /promote", TRAINER, 409, body={"dataset_name": "{d}", "version": "{v}", "target_stage": "staging"}),
    Case("POST /predict", VIEWER, 200, body=FEATURES | {"dataset_name": "{d}", "environment": "dev"}),
    Case("POST /predict", VIEWER, 200, body=FEATURES | {"dataset_name": "{d}", "environment": "dev", "version": "{v}"}),
    Case("POST /predict", VIEWER, 200, {"dataset_name": "{d}", "environment": "dev"}, "x\n1.0\n"),
    Case("POST /models/{dataset}/{environment}/predict", VIEWER, 200, body=FEATURES),
    Case(
        "POST /predict/batch",
        TRAINER,
        202,
        body={"dataset_name": "{d}", "environment": "dev", "input": {"dataset_name": OPEN}},
    ),
    Case(
        "POST /predict/batch",
        TRAINER,
        202,
        body={"dataset_name": OPEN, "environment": "dev", "input": {"dataset_name": "{d}"}},
    ),
    Case("GET /v2/models/{model}", VIEWER, 200),
    Case("GET /v2/models/{model}/ready", VIEWER, 200),
    Case("GET /v2/models/{model}/versions/{version}", VIEWER, 200),
    Case("GET /v2/models/{model}/versions/{version}/ready", VIEWER, 200),
    Case("POST /v2/models/{model}/infer", VIEWER, 200, body=TENSORS),
    Case("POST /v2/models/{model}/versions/{version}/infer", VIEWER, 200, body=TENSORS),
    Case("GET /serve/{model}/health", VIEWER, 200),
    Case("GET /serve/{model}/ping", VIEWER, 200),
    Case("GET /serve/{model}/version", VIEWER, 200, stranger=200),
    Case("POST /serve/{model}/invocations", VIEWER, 200, body=SPLIT),
    Case("DELETE /datasets/{name}", ADMIN, 409),
    Case("DELETE /models/{version}", ADMIN, 409),
]
# What names no dataset, or shows what there is in a list; the tests below look at the lists.
OTHERS = """
    GET /, GET /docs, GET /docs/assets/{digest}/{name}, GET /openapi.json, GET /healthz, GET /readyz, GET /version,
    GET /errors, GET /errors/{code}, GET /findings, GET /findings/{code}, GET /v2/health/live, GET /v2/health/ready,
    GET /login, GET /login/oidc, GET /login/oidc/callback, POST /login, POST /logout, POST /auth/token,
    POST /auth/refresh, POST /auth/logout, GET /me, POST /me/password, GET /me/logins,
    DELETE /me/logins/{login_id}, GET /api-keys, POST /api-keys,
    DELETE /api-keys/{key_id}, GET /metrics, GET /estimators, GET /estimators/{module}/{class}, GET /datasets,
    POST /datasets/upload, POST /v2/repository/index, GET /v2, GET /users, POST /users, PATCH /users/{name},
    DELETE /users/{name}, GET /audit, GET /audit/export, GET /me/logins, DELETE /me/logins/{login_id}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[TeamSite]:
    folder = tmp_path_factory.mktemp("teams")
    with stack.settings(folder / "home") as settings, team_site(settings, folder) as site:
        yield site


class Thing(NamedTuple):
    """What the placeholders of a case stand for."""

    dataset: str
    version: int
    job: UUID


def filled(case: Case, thing: Thing, other: int) -> tuple[str, str, dict[str, Any]]:
    """The method, the path and the rest of the request of a case about a thing."""
    method, _, path = case.address.partition(" ")
    names = {"name": thing.dataset, "dataset": thing.dataset, "model": thing.dataset, "environment": "dev"}
    path = path.format(**names, version=thing.version, job_id=thing.job)
    marks: dict[str, Any] = {"{d}": thing.dataset, "{v}": thing.version}

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: put(inner) for name, inner in value.items()}
        if value == "{o},{v}":
            return f"{other},{thing.version}"
        return marks.get(value, value) if isinstance(value, str) else value

    body = put(case.body)
    query = put(case.query) | (
        {"environment": "dev"} if "{model}" in case.address and not case.address.endswith("}/version") else {}
    )
    if isinstance(body, str):
        return method, path, {"params": query, "content": body, "headers": {"Content-Type": "text/csv"}}
    return method, path, {"params": query} | ({} if body is None else {"json": body})


def asked(site: TeamSite, case: Case, key: str, thing: Thing) -> httpx2.Response:
    method, path, given = filled(case, thing, site.versions[OPEN])
    headers = given.pop("headers", {}) | {"X-API-Key": key}
    return site.client.request(method, path, headers=headers, **given)


def neutral(answer: httpx2.Response, thing: Thing) -> tuple[int, str, list[tuple[str, str]]]:
    """An answer without what differs in any two: the id of the request, the moment, and what was asked for."""
    text = answer.text.replace(answer.headers["x-request-id"], "ID").replace(str(thing.job), "JOB")
    text = re.sub(rf"\b{thing.version}\b", "VERSION", text.replace(thing.dataset, "DATASET"))
    told = [
        (name, re.sub(r"\d+", "N", value) if name == "ratelimit" else value)
        for name, value in sorted(answer.headers.items())
        if name not in {"x-request-id", "date", "content-length"}
    ]
    return answer.status_code, text, told


def test_every_address_is_asked_by_strangers_or_names_nothing_that_could_be_hidden() -> None:
    others = {each.strip() for each in OTHERS.split(",") if each.strip()}
    assert {case.address for case in CASES} | others == RULES.keys()
    assert others.isdisjoint(case.address for case in CASES)


@pytest.mark.asvs("8.2.2", "8.4.1")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.address)
def test_for_strangers_what_is_a_teams_is_as_if_it_were_not_there(site: TeamSite, case: Case) -> None:
    secret = Thing(SECRET, site.versions[SECRET], site.jobs[f"batch {SECRET}"])
    absent = Thing(ABSENT, NO_VERSION, NO_JOB)
    for role in (VIEWER, TRAINER, APPROVER):
        key = site.stranger[role]
        found = neutral(asked(site, case, key, secret), secret)
        assert found == neutral(asked(site, case, key, absent), absent), role
        assert found[0] == (case.stranger if RANKS.index(role) >= RANKS.index(case.least) else 403), (role, found)


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.address)
def test_members_of_a_team_and_admins_may_what_their_roles_allow(site: TeamSite, case: Case) -> None:
    secret = Thing(SECRET, site.versions[SECRET], site.jobs[f"batch {SECRET}"])
    # The others are refused before anything is looked up, as `test_access` shows.
    for role in RANKS[RANKS.index(case.least) :]:
        answer = asked(site, case, site.member[role], secret)
        assert answer.status_code == OWN.get((case.address, role), case.member), (role, answer.text)


# The owner may more than other members of the same role, and so may admins.
OWN: dict[tuple[str, Role], int] = {
    ("PATCH /datasets/{name}", TRAINER): 200,
    ("PATCH /datasets/{name}", ADMIN): 200,
    ("POST /jobs/{job_id}/cancel", TRAINER): 409,
    ("POST /jobs/{job_id}/cancel", ADMIN): 409,
    ("POST /jobs/{job_id}/retry", TRAINER): 202,
    ("POST /jobs/{job_id}/retry", ADMIN): 202,
}


@pytest.mark.asvs("8.2.2")
def test_strangers_retire_no_model_of_a_team_from_a_stage_where_it_is_active(site: TeamSite) -> None:
    case = Case("POST /models/{version}/retire", APPROVER, 200, body={"stage": "dev", "reason": "A test."})
    secret, absent = Thing(SECRET, site.versions[f"first {SECRET}"], NO_JOB), Thing(ABSENT, NO_VERSION, NO_JOB)
    found = neutral(asked(site, case, site.stranger[APPROVER], secret), secret)
    assert found == neutral(asked(site, case, site.stranger[APPROVER], absent), absent)
    assert found[0] == 404
    told = site.ask(site.member[VIEWER], "GET", f"/models/{secret.version}").json()
    assert [each["stage"] for each in told["deployments"] if each["retired_at"] is None] == ["dev"]


def names_in(answer: httpx2.Response, field: str) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [item[field] for item in answer.json()["items"]]


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_lists_leave_out_what_is_another_teams_and_their_pages_are_full(site: TeamSite) -> None:
    stranger, member = site.stranger[VIEWER], site.member[VIEWER]
    assert names_in(site.ask(stranger, "GET", "/datasets"), "name") == [OPEN]
    assert names_in(site.ask(member, "GET", "/datasets"), "name") == [OPEN, SECRET]
    assert names_in(site.ask(site.member[ADMIN], "GET", "/datasets"), "name") == [OPEN, SECRET]
    for path, field in (("/jobs", "dataset_name"), ("/models", "dataset_name")):
        assert set(names_in(site.ask(stranger, "GET", path), field)) == {OPEN}
        assert set(names_in(site.ask(member, "GET", path), field)) == {OPEN, SECRET}
    first = site.ask(stranger, "GET", "/models?limit=1").json()
    second = site.ask(stranger, "GET", f"/models?limit=1&cursor={first['next_cursor']}").json()
    assert [page["items"][0]["dataset_name"] for page in (first, second)] == [OPEN, OPEN]
    assert second["next_cursor"] is None


def test_a_job_that_predicts_for_rows_of_a_team_is_hidden_with_them(site: TeamSite) -> None:
    path = f"/jobs/{site.jobs['of secret rows']}"
    for each in (path, f"{path}/output", f"{path}/logs", f"{path}/events"):
        assert site.ask(site.stranger[TRAINER], "GET", each).status_code == 404
        assert site.ask(site.member[VIEWER], "GET", each).status_code == 200
    listed = names_in(site.ask(site.stranger[VIEWER], "GET", "/jobs"), "job_id")
    assert str(site.jobs["of secret rows"]) not in listed
    assert str(site.jobs[f"batch {OPEN}"]) in listed


@pytest.mark.asvs("8.2.3")
def test_the_document_has_the_models_of_a_team_for_its_members_only(site: TeamSite) -> None:
    def described(key: str) -> set[str]:
        paths = site.ask(key, "GET", "/openapi.json").json()["paths"]
        return {
            path.split("/")[2] for path in paths if path.endswith("/predict") and "{" not in path and path != "/predict"
        }

    assert described(site.stranger[VIEWER]) == {OPEN}
    assert described(site.member[VIEWER]) == {OPEN, SECRET} == described(site.member[ADMIN])
    assert described(site.stranger[TRAINER]) == {OPEN}
    assert SECRET not in site.client.get("/openapi.json").text


def test_the_index_of_models_and_the_metrics_name_nothing_of_another_team(site: TeamSite) -> None:
    for key, names in ((site.stranger[VIEWER], {OPEN}), (site.member[VIEWER], {OPEN, SECRET})):
        index = site.ask(key, "POST", "/v2/repository/index", json={}).json()
        assert {model["name"].partition("@")[0] for model in index} == names
    metrics = site.ask(site.stranger[VIEWER], "GET", "/metrics").text
    assert SECRET not in metrics
    assert 'mlmini_jobs{kind="predict",status="succeeded"} 3.0' in metrics, "all jobs are counted"


def test_nothing_suggests_a_name_of_another_team(site: TeamSite) -> None:
    near = f"{SECRET[:-1]}s"
    body = FEATURES | {"dataset_name": near, "environment": "dev"}
    for method, path, given in (("GET", f"/datasets/{near}", {}), ("POST", "/predict", {"json": body})):
        assert SECRET in site.ask(site.member[VIEWER], method, path, **given).text
        # The second time as well, when what the members were told may still be kept.
        for _ in range(2):
            assert SECRET not in site.ask(site.stranger[VIEWER], method, path, **given).text


def test_a_name_of_another_team_cannot_be_taken_and_the_refusal_tells_no_more(site: TeamSite) -> None:
    before = site.ask(site.member[VIEWER], "GET", f"/datasets/{SECRET}").json()["version"]
    same = site.upload(site.stranger[TRAINER], SECRET, f"{TABLE}50,100\n")
    other = site.upload(site.stranger[TRAINER], SECRET, "a,b\n1,2\n")
    assert [answer.status_code for answer in (same, other)] == [403, 403]
    assert "is taken by a team that you are not in" in same.json()["detail"]
    assert same.text.replace(same.json()["request_id"], "") == other.text.replace(other.json()["request_id"], "")
    assert site.ask(site.member[VIEWER], "GET", f"/datasets/{SECRET}").json()["version"] == before
    rehearsed = site.ask(
        site.stranger[TRAINER], "POST", "/datasets/upload?dry_run=true", files={"file": (f"{SECRET}.csv", TABLE)}
    )
    assert rehearsed.status_code == 403


def test_the_bytes_of_a_hidden_dataset_are_new_under_another_name(site: TeamSite) -> None:
    answer = site.upload(site.stranger[TRAINER], "same_bytes", f"{TABLE}50,100\n")
    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    site.ask(site.stranger[ADMIN], "DELETE", "/datasets/same_bytes").raise_for_status()


def test_one_can_keep_a_dataset_for_teams_that_one_is_in_only(site: TeamSite) -> None:
    refused = site.upload(site.member[TRAINER], "for_blue", team="blue")
    assert (refused.status_code, "not in the team 'blue'" in refused.json()["detail"]) == (403, True)
    wrong = site.upload(site.member[TRAINER], "for_blue", team="Blue!")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")
    assert site.ask(site.stranger[VIEWER], "GET", "/datasets/for_blue").status_code == 404
    changed = site.upload(site.member[TRAINER], OPEN, "x,target\n1,1\n", team=TEAM)
    assert (changed.status_code, "PATCH /datasets/" in changed.json()["detail"]) == (422, True)
    assert site.ask(site.stranger[VIEWER], "GET", f"/datasets/{OPEN}").json()["version"] == 2
    moved = site.ask(site.member[TRAINER], "PATCH", f"/datasets/{OPEN}", json={"team": "blue"})
    assert moved.status_code == 403


def test_a_dataset_that_is_given_to_a_team_is_gone_for_others_at_once_and_comes_back(site: TeamSite) -> None:
    owner, member, stranger = site.member[TRAINER], site.member[VIEWER], site.stranger[VIEWER]
    body = FEATURES | {"dataset_name": OPEN, "environment": "dev"}
    asked = [
        ("GET", f"/datasets/{OPEN}", {}),
        ("POST", "/predict", {"json": body}),
        ("GET", f"/v2/models/{OPEN}?environment=dev", {}),
    ]

    def told(key: str) -> list[int]:
        return [site.ask(key, method, path, **given).status_code for method, path, given in asked]

    assert told(stranger) == [200, 200, 200]
    given = site.ask(owner, "PATCH", f"/datasets/{OPEN}", json={"team": TEAM})
    assert (given.status_code, given.json()["team"], given.json()["owner"]) == (200, TEAM, f"{TEAM}-trainer")
    assert told(stranger) == [404, 404, 404]
    assert told(member) == told(site.stranger[ADMIN]) == [200, 200, 200]
    assert site.ask(owner, "PATCH", f"/datasets/{OPEN}", json={"team": None}).json()["team"] is None
    assert told(stranger) == [200, 200, 200]
    entries = site.ask(site.member[ADMIN], "GET", f"/audit?subject=dataset {OPEN}").json()["items"]
    changes = [(entry["before"]["team"], entry["after"]["team"]) for entry in entries if entry["before"]]
    assert changes == [(TEAM, None), (None, TEAM)]


# To a team that the owner before is not in, or to somebody else of whom they know.
@pytest.mark.parametrize(
    ("meanwhile", "team", "status"), [("given", None, 403), ("taken", OTHERS_TEAM, 404), ("deleted", None, 404)]
)
def test_who_gives_a_dataset_away_has_to_own_it_when_others_are_done_with_it(
    site: TeamSite, meanwhile: str, team: str | None, status: int
) -> None:
    name, owner, database = f"was_{meanwhile}", site.member[TRAINER], site.platform.database
    assert site.upload(owner, name).status_code == 201
    with ThreadPoolExecutor(1) as thread:
        with database.write() as session:
            if meanwhile == "deleted":
                begin_change(session)
                delete_dataset(session, name)
            else:
                give_dataset(session, name, owner=f"{OTHERS_TEAM}-trainer", team=team)
            given = thread.submit(site.ask, owner, "PATCH", f"/datasets/{name}", json={"team": TEAM})
            # Of SQLite one knows without looking that it waits: the transaction of this test is the only one to write.
            eventually(lambda: session.get_bind().dialect.name == "sqlite" or somebody_waits(database))
        assert given.result().status_code == status
    site.ask(site.stranger[ADMIN], "DELETE", f"/datasets/{name}")


def test_who_joins_or_leaves_a_team_sees_so_within_a_second_also_over_grpc_and_in_what_was_remembered(
    site: TeamSite,
) -> None:
    key, name = site.stranger[VIEWER], f"{OTHERS_TEAM}-viewer"
    body = FEATURES | {"dataset_name": SECRET, "environment": "dev"}
    call = request(model_name=SECRET, inputs=[typed("x", [1], "FP64", fp64_contents=[1.0])]).SerializeToString()

    def told() -> tuple[int, int, str]:
        fast = site.ask(key, "POST", "/predict", json=body).status_code
        looked = site.ask(key, "GET", f"/datasets/{SECRET}").status_code
        return fast, looked, site.rpc.ended("ModelInfer", call, ("x-api-key", key), ("environment", "dev")).code

    hidden, seen = (404, 404, "NOT_FOUND"), (200, 200, "OK")
    assert told() == hidden
    site.put_into(name, OTHERS_TEAM, TEAM)
    eventually(lambda: told() == seen, timeout=5)
    site.put_into(name, OTHERS_TEAM)
    eventually(lambda: told() == hidden, timeout=5)


def test_calls_over_grpc_find_nothing_of_another_team(site: TeamSite) -> None:
    names = {"ModelInfer": "model_name", "ModelMetadata": "name", "ModelReady": "name"}
    for call, field in names.items():
        ended = {}
        for name in (SECRET, ABSENT):
            content = MESSAGES[f"{call}Request"](**{field: name}).SerializeToString()
            found = site.rpc.ended(call, content, ("x-api-key", site.stranger[VIEWER]), ("environment", "dev"))
            ended[name] = (found.code, found.said.replace(name, "NAME"))
        assert ended[SECRET] == ended[ABSENT]
        assert ended[SECRET][0] == "NOT_FOUND"
    for key, names_there in ((site.stranger[VIEWER], {OPEN}), (site.member[VIEWER], {OPEN, SECRET})):
        answer, _ = site.rpc.call("RepositoryIndex", b"", ("x-api-key", key))
        listed = MESSAGES["RepositoryIndexResponse"].FromString(answer).models
        assert {model.name.partition("@")[0] for model in listed} == names_there


def test_a_stream_of_events_ends_before_it_tells_what_is_not_seen_any_more(site: TeamSite) -> None:
    key, name = site.stranger[TRAINER], f"{OTHERS_TEAM}-trainer"
    with site.platform.database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name=SECRET, dataset_version_id=None, owner=name)
    path = f"/jobs/{job.id}"
    assert site.ask(key, "GET", path).status_code == 404, "who asked for it has left the team"
    site.put_into(name, TEAM)
    eventually(lambda: site.ask(key, "GET", path).status_code == 200, timeout=5)
    with site.client.stream("GET", f"{path}/events", headers={"X-API-Key": key}) as stream:
        chunks = stream.iter_text()
        assert "queued" in next(chunks)
        site.put_into(name, OTHERS_TEAM)
        eventually(lambda: site.ask(key, "GET", path).status_code == 404, timeout=5)
        assert site.ask(site.member[ADMIN], "POST", f"{path}/cancel").status_code == 202
        assert "cancelled" not in "".join(chunks)


def test_a_request_that_is_repeated_with_its_key_is_not_answered_with_a_job_that_is_hidden_by_now(
    site: TeamSite,
) -> None:
    key, name = site.stranger[APPROVER], f"{OTHERS_TEAM}-approver"
    body = {"dataset_name": SECRET, "target_column": "target", "model": MODEL}

    def sent() -> httpx2.Response:
        headers = {"X-API-Key": key, "Idempotency-Key": "once"}
        return site.client.post("/train", json=body, headers=headers)

    site.put_into(name, TEAM)
    eventually(lambda: sent().status_code == 202, timeout=5)
    site.put_into(name, OTHERS_TEAM)
    eventually(lambda: sent().status_code == 404, timeout=5)


def test_what_is_left_of_a_deleted_dataset_stays_the_teams(site: TeamSite) -> None:
    member, admin, stranger = site.member[TRAINER], site.member[ADMIN], site.stranger[TRAINER]
    assert site.upload(member, "short_lived", team=TEAM).json()["owner"] == f"{TEAM}-trainer"
    with site.platform.database.write() as session:
        job = accept(session, kind=Kind.TRAIN, request={}, dataset_name="short_lived", dataset_version_id=None)
    assert site.ask(admin, "POST", f"/jobs/{job.id}/cancel").status_code == 202
    assert site.ask(admin, "DELETE", "/datasets/short_lived?erase=true").status_code == 204
    assert [site.ask(key, "GET", f"/jobs/{job.id}").status_code for key in (member, stranger)] == [200, 404]
    said = site.ask(stranger, "GET", "/datasets/short_lived").json()["detail"]
    assert said == site.ask(stranger, "GET", f"/datasets/{ABSENT}").json()["detail"].replace(ABSENT, "short_lived")
    assert site.upload(stranger, "short_lived").status_code == 403
    assert site.upload(member, "short_lived").json()["team"] == TEAM


def test_an_owner_can_give_a_dataset_away_and_nobody_else_but_admins(site: TeamSite) -> None:
    approver = f"{TEAM}-approver"
    assert site.upload(site.member[TRAINER], "given_away").status_code == 201
    path, mine = "/datasets/given_away", {"owner": approver}
    assert site.ask(site.member[APPROVER], "PATCH", path, json=mine).status_code == 403
    assert site.ask(site.member[TRAINER], "PATCH", path, json={"owner": "nobody.here"}).status_code == 404
    assert site.ask(site.member[TRAINER], "PATCH", path, json=mine).json()["owner"] == approver
    assert site.ask(site.member[TRAINER], "PATCH", path, json=mine).status_code == 403
    assert site.ask(site.member[APPROVER], "PATCH", path, json={"team": TEAM}).json()["team"] == TEAM
    assert site.ask(site.member[ADMIN], "PATCH", path, json={"team": "of nobody"}).status_code == 422
    assert site.ask(site.member[ADMIN], "PATCH", path, json={"team": "blue"}).json()["team"] == "blue"
    assert site.ask(site.member[APPROVER], "GET", path).status_code == 404, "the owner is not in the team"


def test_an_example_whose_name_a_team_has_taken_is_not_trained_on(site: TeamSite) -> None:
    assert site.upload(site.member[TRAINER], "wine", team=TEAM).status_code == 201
    body = {"dataset_name": "wine", "use_example": True, "model": MODEL, "target_column": "target"}
    for path in ("/train", "/train?dry_run=true"):
        answer = site.ask(site.stranger[TRAINER], "POST", path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_everybody_is_told_their_teams(site: TeamSite) -> None:
    assert site.ask(site.member[VIEWER], "GET", "/me").json()["teams"] == [TEAM]
    users = site.ask(site.member[ADMIN], "GET", "/users?limit=100").json()["items"]
    assert {user["name"]: user["teams"] for user in users}[f"{TEAM}-viewer"] == [TEAM]
    added = {"name": "rosa", "role": "viewer", "kind": "service", "teams": ["red", "green", "red"]}
    made = site.ask(site.member[ADMIN], "POST", "/users", json=added)
    assert (made.status_code, made.json()["teams"]) == (201, ["green", "red"])
    changed = site.ask(site.member[ADMIN], "PATCH", "/users/rosa", json={"teams": []})
    assert changed.json()["teams"] == []
    for wrong in (["Red"], ["a" * 65], [""], [f"t{n}" for n in range(51)]):
        assert site.ask(site.member[ADMIN], "PATCH", "/users/rosa", json={"teams": wrong}).status_code == 422


def test_while_the_database_is_away_members_predict_and_strangers_are_told_nothing(
    site: TeamSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = FEATURES | {"environment": "dev"}
    keys = (site.member[VIEWER], site.stranger[VIEWER])

    def told(key: str, name: str) -> int:
        return site.ask(key, "POST", "/predict", json=body | {"dataset_name": name}).status_code

    assert [told(key, SECRET) for key in keys] == [200, 404]

    def away(_database: Database) -> None:
        raise DatabaseUnavailable

    for way in ("read", "write"):
        monkeypatch.setattr(Database, way, away)
    assert [told(key, name) for key in keys for name in (SECRET, ABSENT)] == [200, 503, 503, 503]
