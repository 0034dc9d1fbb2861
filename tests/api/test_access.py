"""Who gets in, and who may do what."""

import re
import time
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.access.rules import RULES, Need, demand_at
from api.parts import Parts
from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Permission, Role, Scope, allowed
from shared.accounts.rows import ApiKeyRow, LoginSessionRow, UserRow
from shared.accounts.users import change_user, delete_user, find_user
from shared.audit.actions import Action, AuditOutcome
from shared.audit.listing import AuditFilter, list_entries
from shared.clock import Now
from shared.errors import DatabaseUnavailable
from shared.registry.rows import DeploymentRow
from tests.support.accounts import PASSWORD, add_user
from tests.support.models import Platform
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

# Written by hand, so that a row that slips in the table of the application is noticed: the least role that may.
LEAST = {
    Role.VIEWER: """
        GET /metrics, GET /estimators, GET /estimators/{module}/{class}, GET /datasets, GET /datasets/{name},
        GET /datasets/{name}/versions, GET /datasets/{name}/preview, GET /datasets/{name}/profile,
        GET /datasets/{name}/diff, GET /jobs, GET /jobs/{job_id}, GET /jobs/{job_id}/events, GET /jobs/{job_id}/logs,
        GET /jobs/{job_id}/output, GET /models,
        GET /models/compare, GET /models/{version}, GET /models/{version}/artifact, GET /models/{version}/report,
        GET /models/{version}/card, POST /predict, POST /models/{dataset}/{environment}/predict,
        GET /v2, GET /v2/models/{model}, GET /v2/models/{model}/ready, GET /v2/models/{model}/versions/{version},
        GET /v2/models/{model}/versions/{version}/ready, POST /v2/repository/index, POST /v2/models/{model}/infer,
        POST /v2/models/{model}/versions/{version}/infer, GET /serve/{model}/health, GET /serve/{model}/ping,
        GET /serve/{model}/version, POST /serve/{model}/invocations, GET /me, GET /api-keys, POST /api-keys,
        DELETE /api-keys/{key_id}, POST /auth/logout, POST /me/password,
        GET /me/logins, DELETE /me/logins/{login_id}
    """,
    Role.TRAINER: """
        POST /datasets/upload, PATCH /datasets/{name}, POST /datasets/{name}/reread, POST /train,
        PATCH /models/{version}, POST /models/{version}/reproduce, POST /promote, POST /predict/batch,
        POST /jobs/{job_id}/cancel, POST /jobs/{job_id}/retry
    """,
    Role.APPROVER: "POST /models/{version}/retire",
    Role.ADMIN: """
        DELETE /datasets/{name}, DELETE /models/{version}, GET /users, POST /users,
        PATCH /users/{name}, DELETE /users/{name}, GET /audit, GET /audit/export
    """,
}
PUBLIC = """
    GET /, GET /docs, GET /docs/assets/{digest}/{name}, GET /openapi.json, GET /healthz, GET /readyz, GET /version,
    GET /errors, GET /errors/{code}, GET /findings, GET /findings/{code}, GET /v2/health/live, GET /v2/health/ready,
    GET /login, POST /login, GET /login/oidc, GET /login/oidc/callback, POST /logout, POST /auth/token,
    POST /auth/refresh
"""


def listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


LEAST_ROLE = {address: role for role, text in LEAST.items() for address in listed(text)}


@pytest.fixture(scope="module")
def keys(one_parts: Parts) -> dict[Role, str]:
    """An API key of a user of each role, with all that the role allows."""
    made = {}
    for role in (Role.ADMIN, Role.APPROVER, Role.TRAINER, Role.VIEWER):
        add_user(one_parts.database, role.value, role)
        made[role] = key_of(one_parts, role.value)
    # A request may be the first that hears of the accounts.
    one_parts.access.known.is_on()
    eventually(lambda: one_parts.access.known.recall_on() is True)
    return made


def key_of(parts: Parts, name: str, *scopes: Scope) -> str:
    with parts.database.write() as session:
        user = find_user(session, name)
        held = [scope for scope in Scope if Permission(scope_permission(scope)) in allowed(Role(user.role))]
        return create_key(session, user, name="for a test", scopes=scopes or held)[1]


def scope_permission(scope: Scope) -> str:
    return "manage" if scope is Scope.ADMIN else scope.value


def sent(client: TestClient, address: str, **headers: str) -> int:
    method, _, path = address.partition(" ")
    filled = re.sub(r"{[^}]*}", lambda found: str(uuid4()) if found[0] == "{job_id}" else "nothing", path)
    return client.request(method, filled, headers=headers, follow_redirects=False).status_code


@pytest.mark.asvs("6.3.4", "13.4.5")
def test_every_address_stands_in_the_table_and_in_this_file(one_client: TestClient) -> None:
    assert isinstance(one_client.app, FastAPI)
    there = {
        f"{method} {route.path_format}"
        for route in iter_route_contexts(one_client.app.routes)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert there == RULES.keys()
    assert there == LEAST_ROLE.keys() | set(listed(PUBLIC))
    assert demand_at("GET /forgotten").rule == frozenset({Permission.MANAGE}), (
        "what is in no table is for administrators"
    )


@pytest.mark.asvs("8.2.1", "8.3.1", "13.4.5")
@pytest.mark.parametrize("address", sorted(LEAST_ROLE))
def test_an_address_is_for_those_who_may_and_nobody_else(
    one_client: TestClient, keys: dict[Role, str], address: str
) -> None:
    assert sent(one_client, address) == 401
    assert sent(one_client, address, **{"X-API-Key": "mlm_" + "a" * 10 + "_" + "0" * 64}) == 401
    least = list(Role).index(LEAST_ROLE[address])
    for rank, role in enumerate(Role):
        status = sent(one_client, address, **{"X-API-Key": keys[role]})
        # A key is not enough for what is about logins.
        logs_out = address == "POST /auth/logout" or "/me/logins" in address
        assert (status == 403) is (rank < least), (role, status)
        assert (status == 401) is logs_out, (role, status)
        assert status < 500


@pytest.mark.parametrize("address", listed(PUBLIC))
def test_what_is_public_asks_nobody_who_they_are(one_client: TestClient, keys: dict[Role, str], address: str) -> None:
    assert keys
    for headers in ({}, {"X-API-Key": "nonsense"}, {"Authorization": "Bearer nonsense"}):
        status = sent(one_client, address, **headers)
        # A login without a name cannot succeed.
        assert status in ({200, 303, 307, 404, 405, 415, 422}), status


@pytest.mark.asvs("6.3.4", "8.2.1")
def test_only_the_headers_of_an_answer_ask_for_what_the_answer_asks_for(
    one_client: TestClient, keys: dict[Role, str]
) -> None:
    def headers_of(address: str, **credential: str) -> int:
        return sent(one_client, address.replace("GET", "HEAD", 1), **credential)

    beyond = [address for address, role in LEAST_ROLE.items() if address[:4] == "GET " and role is not Role.VIEWER]
    assert beyond
    assert {address: headers_of(address, **{"X-API-Key": keys[Role.VIEWER]}) for address in beyond} == dict.fromkeys(
        beyond, 403
    )
    public = [address for address in listed(PUBLIC) if address[:4] == "GET "]
    assert [address for address in public if headers_of(address) == 401] == []


@pytest.mark.asvs("6.3.4")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/datasets", "/nothing/there", "/docs/../datasets", "/datasets/"])
def test_no_other_method_and_no_other_spelling_gets_by(
    one_client: TestClient, keys: dict[Role, str], method: str, path: str
) -> None:
    assert keys
    assert one_client.request(method, path, follow_redirects=False).status_code == 401


@pytest.mark.asvs("8.2.1")
def test_only_whoever_may_promote_to_the_last_stage_does(one_client: TestClient, keys: dict[Role, str]) -> None:
    def asked(role: Role, stage: str, **more: bool) -> tuple[int, str]:
        body = {"dataset_name": "nothing", "version": 1, "target_stage": stage} | more
        answer = one_client.post("/promote", json=body, headers={"X-API-Key": keys[role]})
        return answer.status_code, answer.json()["code"]

    assert asked(Role.TRAINER, "staging")[0] == 404
    assert asked(Role.TRAINER, "production") == (403, "not_allowed")
    assert asked(Role.APPROVER, "production")[0] == 404
    assert asked(Role.TRAINER, "staging", replace_target=True) == (403, "not_allowed")
    assert asked(Role.APPROVER, "staging", replace_target=True)[0] == 404


@pytest.fixture
def alone(client: TestClient, parts: Parts) -> TestClient:
    """A client of an application with one user, whose password is the usual one."""
    add_user(parts.database, "anna", Role.ADMIN)
    eventually(lambda: client.get("/datasets").status_code == 401)
    return client


def logged_in(client: TestClient, name: str = "anna", password: str = PASSWORD) -> dict[str, Any]:
    answer = client.post("/auth/token", data={"username": name, "password": password})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.mark.asvs("16.3.2")
def test_every_refusal_is_recorded_by_the_gate_or_by_an_endpoint(
    one_client: TestClient, one_parts: Parts, keys: dict[Role, str]
) -> None:
    beyond = [address for address, role in LEAST_ROLE.items() if role is not Role.VIEWER]
    for address in beyond:
        # Counts begin anew, so that each is an entry.
        one_parts.access.refusals.write_counts()
        assert sent(one_client, address, **{"X-API-Key": keys[Role.VIEWER]}) == 403
    body = {"dataset_name": "nothing", "version": 1, "target_stage": "production"}
    assert one_client.post("/promote", json=body, headers={"X-API-Key": keys[Role.TRAINER]}).status_code == 403
    with one_parts.database.read() as session:
        wanted = AuditFilter(action=Action.ACCESS_REFUSED, outcome=AuditOutcome.REFUSED)
        last, *entries = list_entries(session, wanted, limit=len(beyond) + 1)
    assert (last.actor, last.subject) == (Role.TRAINER, "POST /promote")
    assert {entry.actor for entry in entries} == {Role.VIEWER}
    for address, entry in zip(reversed(beyond), entries, strict=True):
        assert entry.subject.startswith(address.partition("{")[0]), address


@pytest.mark.asvs("6.3.2")
def test_without_accounts_everybody_may_do_everything(client: TestClient) -> None:
    me = client.get("/me").json()
    assert (me["name"], me["role"], me["via"], me["login_required"]) == ("anonymous", "admin", "none", False)
    assert client.get("/users").json()["items"] == []
    assert client.post("/api-keys", json={"name": "a", "scopes": ["read"]}).json()["code"] == "no_accounts"


def test_the_first_user_has_to_be_an_admin_and_locks_the_door(client: TestClient) -> None:
    first = {"name": "anna", "password": PASSWORD, "role": "trainer"}
    assert client.post("/users", json=first).json()["code"] == "no_accounts"
    assert client.get("/datasets").status_code == 200
    made = client.post("/users", json=first | {"role": "admin"})
    assert (made.status_code, made.json()["role"], made.headers["Location"]) == (201, "admin", "/users/anna")
    assert "password" not in made.json()
    assert PASSWORD not in made.text
    # Whoever made the user needs a credential from now on, at least in the process that was asked.
    assert client.get("/datasets").status_code == 401
    assert client.get("/datasets", headers=bearer(logged_in(client))).status_code == 200


@pytest.mark.asvs("7.2.1", "7.4.1")
def test_a_login_gives_a_token_that_ends_with_it(alone: TestClient) -> None:
    tokens = logged_in(alone)
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    me = alone.get("/me", headers=bearer(tokens)).json()
    assert (me["name"], me["role"], me["login_required"]) == ("anna", "admin", True)
    assert alone.post("/auth/logout", headers=bearer(tokens)).status_code == 204
    assert alone.get("/me", headers=bearer(tokens)).status_code == 401
    refused = alone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


@pytest.mark.asvs("10.4.5")
def test_a_refresh_token_that_comes_twice_ends_the_login(alone: TestClient) -> None:
    first = logged_in(alone)
    second = alone.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (second.status_code, second.headers["Cache-Control"]) == (200, "no-store")
    assert alone.get("/me", headers=bearer(second.json())).status_code == 200
    assert alone.post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    eventually(lambda: alone.get("/me", headers=bearer(second.json())).status_code == 401)


def test_a_client_of_oauth_sends_the_refresh_token_in_a_form(alone: TestClient) -> None:
    schemes = alone.get("/openapi.json").json()["components"]["securitySchemes"]
    address = f"/{schemes['password']['flows']['password']['refreshUrl']}"
    form = {"grant_type": "refresh_token", "refresh_token": logged_in(alone)["refresh_token"], "client_id": ""}
    answer = alone.post(address, data=form)
    assert answer.status_code == 200, answer.text
    assert alone.get("/me", headers=bearer(answer.json())).json()["name"] == "anna"
    body = form | {"refresh_token": answer.json()["refresh_token"], "client_id": "mlmini"}
    assert alone.post(address, json=body).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        *(b"", b"refresh_token=", b"refresh_token", b"refresh_token=a&refresh_token=b", b"refresh_token=%ff"),
        *(b"refresh_token=\xc3\xa4", b"refresh_token=a&grant_type=password", b"refresh_token=a&more=b", b"a=b&" * 99),
    ],
)
def test_another_form_refreshes_nothing(alone: TestClient, form: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = alone.post("/auth/refresh", content=form, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_whoever_asks_without_a_credential_is_told_how_to_bring_one(alone: TestClient) -> None:
    answer = alone.get("/datasets")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "not_authenticated"
    assert "X-API-Key" in answer.json()["detail"]
    v2 = alone.get("/v2/models/iris")
    assert (v2.status_code, set(v2.json())) == (401, {"error"})
    mlflow = alone.post("/serve/iris/invocations", json={})
    assert (mlflow.status_code, mlflow.json()["error_code"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("name", ["anna", "nobody", "x" * 64, "no such name"])
def test_a_wrong_login_says_the_same_for_every_name(alone: TestClient, name: str) -> None:
    answer = alone.post("/auth/token", data={"username": name, "password": "a wrong password"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.json()["detail"].startswith("The name or the password is wrong")


@pytest.mark.asvs("6.3.1")
def test_tries_are_slowed_down_for_who_tries_and_nobody_else(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.VIEWER)
    answers = [alone.post("/auth/token", data={"username": "anna", "password": "wrong"}) for _ in range(7)]
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "too_many_logins")
    assert int(last.headers["Retry-After"]) >= 1
    assert logged_in(alone, "berta")


@pytest.mark.asvs("15.3.3")
def test_what_is_not_a_form_of_a_login_is_refused(alone: TestClient) -> None:
    other = alone.post("/auth/token", json={"username": "anna", "password": PASSWORD})
    assert (other.status_code, "application/x-www-form-urlencoded" in other.json()["detail"]) == (415, True)
    assert alone.post("/auth/token", data={"username": "anna"}).status_code == 422
    more = {"username": "anna", "password": PASSWORD, "role": "admin"}
    assert alone.post("/auth/token", data=more).status_code == 422


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(alone: TestClient) -> None:
    headers = bearer(logged_in(alone))
    made = alone.post("/api-keys", json={"name": "nightly", "scopes": ["read"]}, headers=headers)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    key, number = made.json()["key"], made.json()["id"]
    listed = alone.get("/api-keys", headers=headers)
    assert key not in listed.text
    assert listed.json()["items"][0]["last_used_at"] is None
    for how in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert alone.get("/datasets", headers=how).status_code == 200
    assert alone.get("/api-keys", headers=headers).json()["items"][0]["last_used_at"] is not None
    assert alone.post("/train", headers={"X-API-Key": key}).status_code == 403
    assert alone.delete(f"/api-keys/{number}", headers=headers).status_code == 204
    # In the process that was asked, at once.
    assert alone.get("/datasets", headers={"X-API-Key": key}).status_code == 401
    assert alone.delete("/api-keys/999", headers=headers).status_code == 404


@pytest.mark.asvs("8.2.2")
def test_keys_of_others_are_the_business_of_admins(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.TRAINER)
    admin, berta = bearer(logged_in(alone)), bearer(logged_in(alone, "berta"))
    wanted = {"name": "theirs", "scopes": ["read"], "user": "anna"}
    assert alone.post("/api-keys", json=wanted, headers=berta).json()["code"] == "not_allowed"
    made = alone.post("/api-keys", json=wanted | {"user": "berta"}, headers=admin)
    assert made.json()["user"] == "berta"
    anna = alone.post("/api-keys", json={"name": "own", "scopes": ["read"]}, headers=admin).json()["id"]
    assert [key["user"] for key in alone.get("/api-keys", headers=berta).json()["items"]] == ["berta"]
    assert alone.delete(f"/api-keys/{anna}", headers=berta).status_code == 404
    beyond = alone.post("/api-keys", json={"name": "more", "scopes": ["admin"]}, headers=berta)
    assert (beyond.status_code, beyond.json()["code"]) == (422, "scope_beyond_role")
    key = {"X-API-Key": made.json()["key"]}
    assert alone.post("/api-keys", json={"name": "second", "scopes": ["read"]}, headers=key).status_code == 403


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("act", ["role", "password", "inactive", "deleted"])
def test_a_change_of_a_user_is_heard_within_a_second(alone: TestClient, parts: Parts, act: str) -> None:
    add_user(parts.database, "berta", Role.TRAINER)
    berta = bearer(logged_in(alone, "berta"))
    assert alone.get("/me", headers=berta).status_code == 200
    # As another process does it: this one hears of it from the database only.
    with parts.database.write() as session:
        if act == "deleted":
            delete_user(session, "berta")
        elif act == "inactive":
            change_user(session, "berta", active=False)
        elif act == "role":
            change_user(session, "berta", role=Role.VIEWER)
        else:
            change_user(session, "berta", password=parts.access.passwords.hashed("nine blue herons", name="berta"))
    eventually(lambda: alone.get("/me", headers=berta).status_code == 401, timeout=1.5)


def test_what_a_deleted_user_had_is_refused_at_once_where_they_were_deleted(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.TRAINER)
    berta = bearer(logged_in(alone, "berta"))
    made = alone.post("/api-keys", json={"name": "nightly", "scopes": ["read"]}, headers=berta)
    key = {"X-API-Key": made.json()["key"]}
    for credential in (berta, key):
        assert alone.get("/datasets", headers=credential).status_code == 200
    assert alone.delete("/users/berta", headers=bearer(logged_in(alone))).status_code == 204
    for credential in (berta, key):
        assert alone.get("/datasets", headers=credential).status_code == 401


def test_the_last_admin_stays(alone: TestClient) -> None:
    headers = bearer(logged_in(alone))
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"}), ("PATCH", {"active": False})):
        answer = alone.request(method, "/users/anna", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


def test_the_record_tells_of_an_upload_that_only_describes_a_dataset_or_brings_it_back(
    alone: TestClient, parts: Parts
) -> None:
    headers = bearer(logged_in(alone))

    def upload(**fields: str) -> int:
        files = {"file": ("flowers.csv", "a,b\n1,2\n3,4\n")}
        return alone.post("/datasets/upload", files=files, data=fields, headers=headers).status_code

    assert [upload(), upload(), upload(description="My garden."), upload(description="My garden.")] == [
        201,
        200,
        200,
        200,
    ]
    assert alone.delete("/datasets/flowers?archive=true", headers=headers).status_code == 204
    assert upload() == 200
    with parts.database.read() as session:
        brought_back, archived, described, _ = list_entries(session, AuditFilter(subject="dataset flowers"), limit=9)
    assert {entry.actor for entry in (brought_back, archived, described)} == {"anna"}
    assert {entry.action for entry in (brought_back, archived, described)} == {Action.DATASET_CHANGED}
    assert (described.before, described.after) == (None, {"fields": ["description"]})
    assert (brought_back.before, brought_back.after) == ({"archived": True}, {"archived": False})


@pytest.mark.asvs("16.2.5")
def test_the_record_tells_who_did_what(alone: TestClient, parts: Parts) -> None:
    headers = bearer(logged_in(alone))
    alone.post("/auth/token", data={"username": "anna", "password": "my secret word"})
    alone.post("/users", json={"name": "berta", "password": PASSWORD, "role": "viewer"}, headers=headers)
    alone.patch("/users/berta", json={"role": "trainer"}, headers=headers)
    upload = {"file": ("fish.csv", "length,weight\n" + "".join(f"{n},{n * n}\n" for n in range(20)))}
    assert alone.post("/datasets/upload", files=upload, headers=headers).status_code == 201
    body = {"dataset_name": "fish", "target_column": "weight", "model": {"module": "dummy", "class": "DummyRegressor"}}
    job = alone.post("/train", json=body, headers=headers | {"X-Request-ID": "my-request"}).json()
    alone.post(f"/jobs/{job['job_id']}/cancel", headers=headers)
    told = alone.get("/audit", headers=headers).json()["items"]
    assert [(entry["action"], entry["subject"]) for entry in told] == [
        ("job_cancelled", f"job {job['job_id']}"),
        ("job_accepted", f"job {job['job_id']}"),
        ("dataset_uploaded", "dataset fish"),
        ("user_changed", "user berta"),
        ("user_created", "user berta"),
        ("login_refused", "user anna"),
        ("login", "user anna"),
    ]
    assert told[1]["request_id"] == "my-request"
    assert (told[3]["before"], told[3]["after"]) == ({"role": "viewer"}, {"role": "trainer"})
    refused = alone.get("/audit", params={"outcome": "refused"}, headers=headers).json()["items"]
    assert [entry["action"] for entry in refused] == ["login_refused"]
    everything = alone.get("/audit/export", headers=headers).text
    assert everything.count("\n") == len(told)
    assert PASSWORD not in everything
    assert "my secret word" not in everything


@pytest.mark.asvs("16.3.2")
def test_what_is_refused_to_a_user_is_recorded(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.VIEWER)
    berta = bearer(logged_in(alone, "berta"))
    assert alone.get("/users", headers=berta).status_code == 403
    with parts.database.read() as session:
        wanted = AuditFilter(action=Action.ACCESS_REFUSED, outcome=AuditOutcome.REFUSED)
        found = [(entry.actor, entry.subject) for entry in list_entries(session, wanted, limit=5)]
    assert found == [("berta", "GET /users")]


def test_the_record_tells_which_version_was_to_go_where(alone: TestClient, parts: Parts, tmp_path: Path) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    platform.train(platform.dataset())
    headers = bearer(logged_in(alone))
    body = {"dataset_name": "iris", "version": 1, "target_stage": "staging"}
    assert alone.post("/promote", json=body, headers=headers).status_code == 202
    newest = alone.get("/audit", params={"action": "job_accepted"}, headers=headers).json()["items"][0]
    assert newest["after"] == {"kind": "promote"} | body


def test_a_browser_that_may_not_look_gets_a_page_that_says_so(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.VIEWER)
    headers = bearer(logged_in(alone, "berta")) | {"Accept": "text/html"}
    answer = alone.get("/users", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "may not GET /users as viewer" in unescape(answer.text)


def test_two_users_have_keys_of_requests_of_their_own(alone: TestClient, parts: Parts) -> None:
    add_user(parts.database, "berta", Role.TRAINER)
    anna, berta = bearer(logged_in(alone)), bearer(logged_in(alone, "berta"))
    body = {
        "dataset_name": "iris",
        "use_example": True,
        "model": {"module": "dummy", "class": "DummyClassifier"},
        "target_column": "target",
    }
    same = {"Idempotency-Key": "one"}
    first, again, other = (
        alone.post("/train", json=body, headers=who | same).json()["job_id"] for who in (anna, anna, berta)
    )
    assert first == again != other


@pytest.mark.asvs("16.5.2")
def test_while_the_database_is_away_predictions_go_on_for_those_who_were_known(
    alone: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"X-API-Key": key_of(parts, "anna")}
    assert alone.post("/predict", json={}, headers=key).status_code == 422
    monkeypatch.setattr(parts.database, "read", _away)
    time.sleep(1.1)
    assert alone.post("/predict", json={}, headers=key).status_code == 422
    never = alone.post("/predict", json={}, headers={"X-API-Key": f"mlm_{'a' * 10}_{'0' * 64}"})
    assert (never.status_code, "Retry-After" in never.headers) == (503, True)


def _away() -> None:
    raise DatabaseUnavailable


def test_the_document_says_what_has_to_come_along(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"api_key", "password"}
    for address, rule in RULES.items():
        method, _, path = address.partition(" ")
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            assert ("security" in operation) is (rule is not Need.NOTHING), address


def cookies_of(client: TestClient) -> dict[str, str]:
    """Log in as a browser does; the jar of the client keeps the cookies."""
    form = {"name": "anna", "password": PASSWORD, "next": "/datasets?limit=5"}
    answer = client.post("/login", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/datasets?limit=5")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "SameSite=strict" in cookie
        assert ("HttpOnly" in cookie) is cookie.startswith("mlmini_session=")
    return dict(client.cookies)


@pytest.mark.asvs("1.2.2", "3.3.2", "3.3.4")
def test_a_browser_is_taken_to_the_login_and_back(alone: TestClient) -> None:
    page = {"Accept": "text/html,*/*;q=0.8"}
    answer = alone.get("/jobs?limit=3", headers=page, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/jobs%3Flimit%3D3")
    form = alone.get(answer.headers["Location"], headers=page)
    assert 'value="/jobs?limit=3"' in form.text
    assert "form-action 'self'" in form.headers["Content-Security-Policy"]
    assert form.headers["Cache-Control"] == "no-store"
    cookies_of(alone)
    assert alone.get("/jobs", headers=page).status_code == 200
    assert "You are logged in as anna" in alone.get("/login").text


@pytest.mark.asvs("1.2.2", "3.7.2")
@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("/\tevil", "", "evil", "/" + "x" * 2001, "/\u2025", "///evil.example", "/\n/evil.example"),
    ],
)
def test_a_login_leads_to_no_other_place(alone: TestClient, wanted: str) -> None:
    form = {"name": "anna", "password": PASSWORD, "next": wanted}
    answer = alone.post("/login", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/docs")


@pytest.mark.asvs("14.2.2", "14.3.2")
def test_what_somebody_gets_who_is_known_is_kept_by_nobody(alone: TestClient, parts: Parts, tmp_path: Path) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    file = f"/models/{platform.train(platform.dataset())}/artifact"
    key = {"X-API-Key": key_of(parts, "anna")}
    by_cookie = {"Cookie": f"mlmini_session={logged_in(alone)['access_token']}"}
    page = {"Accept": "text/html"}
    for who in (key, key | {"Sec-Fetch-Mode": "cors"}, by_cookie, by_cookie | page):
        for path in ("/datasets", "/me", "/models", "/docs", "/openapi.json", "/nothing"):
            assert alone.get(path, headers=who).headers["Cache-Control"] == "no-store", (who, path)
    for who in (by_cookie, key | {"Sec-Fetch-Mode": "cors"}):
        assert alone.get(file, headers=who).headers["Cache-Control"] == "no-store"
    # A program may ask by the ETag whether a file has changed; what is for everybody is nobody's secret.
    assert alone.get(file, headers=key).headers["Cache-Control"] == "private, no-cache"
    asset = re.findall(r'"(docs/assets/[^"]+)"', alone.get("/docs").text)[0]
    assert alone.get(f"/{asset}", headers=by_cookie).headers["Cache-Control"].startswith("public, ")
    assert "Cache-Control" not in alone.get("/healthz").headers


@pytest.mark.asvs("15.3.1")
def test_no_answer_has_what_is_kept_of_secrets_and_users_are_shown_by_these_fields_alone(
    alone: TestClient, parts: Parts, tmp_path: Path
) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    version = platform.train(platform.dataset())
    headers = bearer(logged_in(alone))
    text = alone.post("/api-keys", json={"name": "mine", "scopes": ["admin"]}, headers=headers).json()["key"]
    with parts.database.read() as session:
        columns = (UserRow.password_hash, ApiKeyRow.key_hash, LoginSessionRow.refresh_hash, DeploymentRow.hmac)
        kept = [value for column in columns for value in session.scalars(select(column))]
    assert len(kept) == 4
    looking = [address for address in RULES if address.startswith("GET ") and "events" not in address]
    shown = ""
    for address in looking:
        path = re.sub("{version}", str(version), address.removeprefix("GET "))
        shown += alone.get(re.sub("{name}|{dataset}", "iris", path), headers=headers).text
    assert '"artifact_path"' in shown
    assert [value for value in (*kept, text, PASSWORD) if value in shown] == []
    (user,) = alone.get("/users", headers=headers).json()["items"]
    assert user.keys() == {"name", "kind", "login", "role", "active", "teams", "created_at", "updated_at"}
    (key,) = alone.get("/api-keys", headers=headers).json()["items"]
    assert {"key", "key_hash"}.isdisjoint(key)
    (login,) = alone.get("/me/logins", headers=headers).json()["items"]
    assert login.keys() == {"id", "began_at", "renewed_at", "ends_at", "current"}


@pytest.mark.asvs("7.5.1", "7.5.2", "10.3.4")
def test_what_changes_who_can_log_in_takes_a_login_of_late(alone: TestClient, parts: Parts) -> None:
    tokens, other = logged_in(alone), logged_in(alone)
    logins = alone.get("/me/logins", headers=bearer(other)).json()["items"]
    (here,) = (login["id"] for login in logins if not login["current"])
    (elsewhere,) = (login["id"] for login in logins if login["current"])
    new = {"name": "berta", "password": PASSWORD, "role": "viewer"}
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/users", new),
        ("PATCH", "/users/berta", {"role": "trainer"}),
        ("POST", "/api-keys", {"name": "mine", "scopes": ["read"]}),
        ("DELETE", f"/me/logins/{elsewhere}", None),
        ("DELETE", "/users/berta", None),
    ]

    def asked(headers: dict[str, str]) -> list[int]:
        return [alone.request(method, path, json=sent, headers=headers).status_code for method, path, sent in changes]

    def begun(seconds: int) -> None:
        with parts.database.write() as session:
            session.execute(
                update(LoginSessionRow).where(LoginSessionRow.id == here).values(authenticated_at=Now(-seconds))
            )

    begun(15 * 60 + 1)
    assert asked(bearer(tokens)) == [403] * 5
    refreshed = alone.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    answer = alone.post("/users", json=new, headers=bearer(refreshed))
    assert (answer.status_code, answer.json()["code"]) == (403, "login_too_old")
    assert "mlmini login" in answer.json()["detail"]
    assert alone.get("/users", headers=bearer(refreshed)).status_code == 200
    (refused,) = alone.get("/audit", params={"outcome": "refused"}, headers=bearer(refreshed)).json()["items"]
    assert (refused["actor"], refused["action"], refused["subject"]) == ("anna", "access_refused", "POST /users")
    # A key is brought anew by each request, and has no login.
    key = {"X-API-Key": key_of(parts, "anna", Scope.ADMIN)}
    made = alone.post("/users", json=new | {"name": "carla"}, headers=key)
    assert made.status_code == 201
    begun(15 * 60 - 60)
    assert asked(bearer(refreshed)) == [201, 200, 201, 204, 204]


@pytest.mark.asvs("3.5.1")
def test_a_cookie_alone_changes_nothing(alone: TestClient) -> None:
    token = cookies_of(alone)["mlmini_token"]
    new = {"name": "berta", "password": PASSWORD, "role": "viewer"}
    for headers in ({}, {"X-Page-Token": "0" * 64}, {"X-Page-Token": ""}):
        answer = alone.post("/users", json=new, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_page_token")
    assert alone.post("/users", json=new, headers={"X-Page-Token": token}).status_code == 201


@pytest.mark.asvs("7.4.1")
def test_a_login_of_a_browser_ends_by_its_form_and_not_without_its_token(alone: TestClient) -> None:
    cookies = cookies_of(alone)
    alone.post("/logout", data={"token": "0" * 64}, follow_redirects=False)
    alone.cookies.update(cookies)
    assert alone.get("/me").status_code == 200
    answer = alone.post("/logout", data={"token": cookies["mlmini_token"]}, follow_redirects=False)
    assert answer.headers["Location"] == "/login"
    alone.cookies.update(cookies)
    assert alone.get("/me").status_code == 401


@pytest.mark.asvs("14.3.1")
def test_a_browser_that_logs_out_is_told_to_forget_what_it_was_shown(alone: TestClient) -> None:
    token = cookies_of(alone)["mlmini_token"]
    answer = alone.post("/logout", data={"token": token}, follow_redirects=False)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    gone = [cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie") if "Max-Age=0" in cookie]
    assert gone == ["mlmini_session", "mlmini_token"]
    assert alone.get("/me").status_code == 401


@pytest.mark.asvs("7.2.4")
def test_a_login_of_a_browser_ends_the_one_before(alone: TestClient) -> None:
    before = cookies_of(alone)
    after = cookies_of(alone)
    assert before["mlmini_session"] != after["mlmini_session"]
    assert alone.get("/me").status_code == 200
    alone.cookies.clear()
    alone.cookies.update(before)
    assert alone.get("/me").status_code == 401


@pytest.mark.asvs("1.2.1")
def test_a_wrong_login_of_a_browser_shows_the_form_again(alone: TestClient) -> None:
    answer = alone.post("/login", data={"name": '"><script>', "password": "wrong", "next": "/jobs"})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text


@pytest.mark.asvs("8.2.3")
def test_models_are_in_the_document_of_those_who_may_read_them(alone: TestClient, parts: Parts) -> None:
    header = {"X-API-Key": key_of(parts, "anna")}
    fixed, whole = alone.get("/openapi.json"), alone.get("/openapi.json", headers=header)
    assert fixed.status_code == whole.status_code == 200
    assert fixed.json()["paths"].keys() == whole.json()["paths"].keys()
    only = {"X-API-Key": key_of(parts, "anna", Scope.PREDICT)}
    assert alone.get("/openapi.json", headers=only).json() == fixed.json()


@pytest.mark.asvs("8.2.3")
def test_strangers_get_no_hints(alone: TestClient, parts: Parts) -> None:
    told = alone.get("/readyz").json()
    assert "hint" not in str(told) or {part["hint"] for part in told["dependencies"].values()} == {None}
    known = alone.get("/readyz", headers={"X-API-Key": key_of(parts, "anna")}).json()
    assert any(part["hint"] for part in known["dependencies"].values())


@pytest.mark.asvs("8.1.1")
def test_the_docs_tell_what_each_address_asks_for() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    told: dict[str, str] = {}
    for line in text.splitlines():
        if re.match(r"\| .* \| `[A-Z]+ /", line):
            _, needed, addresses, _ = line.split("|")
            told |= dict.fromkeys(re.findall(r"`([A-Z]+ [^`]+)`", addresses), needed.strip())
    assert told.keys() == RULES.keys()
    for address, rule in RULES.items():
        words = {Need.NOTHING: "nothing", Need.A_LOGIN: "any login or key"}
        expected = words[rule] if isinstance(rule, Need) else " or ".join(f"`{each}`" for each in sorted(rule))
        assert told[address] == expected, address


@pytest.mark.asvs("8.2.2")
def test_a_job_is_cancelled_and_run_again_by_its_owner_and_by_admins(alone: TestClient, parts: Parts) -> None:
    names = {"berta": Role.TRAINER, "carla": Role.TRAINER, "dora": Role.APPROVER}
    for name, role in names.items():
        add_user(parts.database, name, role)
    who = {name: {"X-API-Key": key_of(parts, name)} for name in ("anna", *names)}
    body = {
        "dataset_name": "iris",
        "use_example": True,
        "model": {"module": "dummy", "class": "DummyClassifier"},
        "target_column": "target",
    }
    jobs = [alone.post("/train", json=body, headers=who["berta"]).json() for _ in range(2)]
    assert [job["owner"] for job in jobs] == ["berta", "berta"]
    here = [f"/jobs/{job['job_id']}" for job in jobs]
    for name in ("carla", "dora"):
        for act in ("cancel", "retry"):
            answer = alone.post(f"{here[0]}/{act}", headers=who[name])
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (name, act)
        assert alone.get(here[0], headers=who[name]).status_code == 200
    assert alone.post(f"{here[0]}/cancel", headers=who["berta"]).status_code == 202
    assert alone.post(f"{here[1]}/cancel", headers=who["anna"]).status_code == 202
    again = alone.post(f"{here[0]}/retry", headers=who["anna"]).json()
    assert again["owner"] == "anna"
    listed_jobs = alone.get("/jobs", params={"owner": "berta"}, headers=who["carla"]).json()["items"]
    assert {job["job_id"] for job in listed_jobs} == {job["job_id"] for job in jobs}


def test_a_job_that_nobody_owns_is_everybodys(client: TestClient, parts: Parts) -> None:
    body = {
        "dataset_name": "iris",
        "use_example": True,
        "model": {"module": "dummy", "class": "DummyClassifier"},
        "target_column": "target",
    }
    job = client.post("/train", json=body).json()
    assert "owner" not in job
    add_user(parts.database, "anna", Role.ADMIN)
    add_user(parts.database, "berta", Role.TRAINER)
    eventually(lambda: client.get("/datasets").status_code == 401)
    headers = {"X-API-Key": key_of(parts, "berta")}
    assert client.post(f"/jobs/{job['job_id']}/cancel", headers=headers).status_code == 202
