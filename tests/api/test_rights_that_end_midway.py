"""What was allowed when a request began, and is not any more when its body is there, or when what it waits for is."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest

from api.parts import Parts
from api.rpc.gate import CallGate
from shared.accounts.api_keys import create_key, revoke_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import change_user, find_user, list_users
from shared.jobs.acceptance import cancel
from shared.registry.teams import give_dataset
from tests.support.accounts import add_user
from tests.support.jobs import add_job
from tests.support.models import open_platform
from tests.support.raw_http import RawAnswer, connected, read_answer
from tests.support.registry import insert_dataset
from tests.support.rpc import SERVICE, RpcSite, refusal, request, rpc_site
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

USER = {"name": "mallory", "role": "admin", "password": "seven loud otters"}
ROWS = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}
TRAINING = {"dataset_name": "none", "target_column": "y", "model": {"module": "linear_model", "class": "Ridge"}}
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx,y\n1,2\n3,4\n\r\n--b--\r\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[RpcSite]:
    """An API with a model of iris and an admin."""
    folder = tmp_path_factory.mktemp("midway")
    with stack.settings(folder / "home") as settings, rpc_site(settings) as site:
        platform = open_platform(site.parts.whole_database, site.parts.store, site.parts.settings, folder)
        platform.train(platform.dataset())
        add_user(site.parts.whole_database, "anna", Role.ADMIN)
        eventually(lambda: site.parts.access.known.recall_on() is True)
        yield site


class Key:
    """A key of a user of its own, and how it is heard of what becomes of it."""

    def __init__(self, site: RpcSite, name: str, role: Role, *scopes: Scope, team: str | None = None) -> None:
        self.name = name
        self._site = site
        self._database = site.parts.whole_database
        add_user(self._database, name, role)
        with self._database.write() as session:
            user = find_user(session, name)
            user.teams = [team] if team else []
            row, self.text = create_key(session, user, name="for a test", scopes=scopes)
            self._id = row.id

    def revoke(self) -> None:
        """End it, and wait until that counts."""
        with self._database.write() as session:
            revoke_key(session, self._id)
        eventually(lambda: self._me().status_code == 401)

    def change(self, **values: Any) -> None:
        """Change its user, and wait until that counts."""
        before = self._me().json()
        with self._database.write() as session:
            change_user(session, self.name, **values)
        eventually(lambda: self._me().json() != before)

    def _me(self) -> httpx2.Response:
        return httpx2.get(f"{self._site.url}/me", headers={"X-API-Key": self.text})


def sent_late(site: RpcSite, line: str, body: bytes, meanwhile: Callable[[], None], *headers: str) -> RawAnswer:
    """The answer to a request whose body comes after something else has happened."""
    more = [*headers, "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    with connected(site.url) as connection:
        connection.sendall("\r\n".join([f"{line} HTTP/1.1", *more, "", ""]).encode())
        # It is said once the body is asked for: who sends it, and whether they may, is known by then.
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        meanwhile()
        connection.sendall(body)
        return read_answer(connection, method="POST")


def in_json(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("line", "body", "content_type"),
    [
        ("POST /users", in_json(USER), "application/json"),
        ("POST /predict", in_json(ROWS), "application/json"),
        pytest.param(
            "POST /datasets/upload", FORM, "multipart/form-data; boundary=b", marks=pytest.mark.thorough, id="an upload"
        ),
    ],
    ids=["a user", "a prediction", None],
)
def test_a_key_that_is_revoked_while_the_body_is_under_way_does_nothing(
    site: RpcSite, line: str, body: bytes, content_type: str
) -> None:
    key = Key(site, f"late-{line.rpartition('/')[2]}", Role.ADMIN, Scope.ADMIN)
    headers = [f"X-API-Key: {key.text}", f"Content-Type: {content_type}"]
    answer = sent_late(site, line, body, key.revoke, *headers)
    assert (answer.status, answer.document["code"]) == (401, "not_authenticated")
    with site.parts.whole_database.read() as session:
        assert "mallory" not in [user.name for user in list_users(session, limit=100)]


@pytest.mark.parametrize(
    "change",
    [{"role": Role.APPROVER}, pytest.param({"teams": ["blue"]}, marks=pytest.mark.thorough)],
    ids=["role", "team"],
)
def test_what_a_user_may_is_that_of_the_moment_when_the_body_is_there(site: RpcSite, change: dict[str, Any]) -> None:
    name = f"changed-{'-'.join(change)}"
    key = Key(site, name, Role.TRAINER, Scope.READ, Scope.TRAIN, Scope.PROMOTE, team="red")
    headers = [f"X-API-Key: {key.text}", "Content-Type: application/json"]
    answer = sent_late(site, "POST /train", in_json(TRAINING), lambda: key.change(**change), *headers)
    assert (answer.status, answer.document["code"]) == (403, "not_allowed")
    assert "while the request was under way" in answer.document["detail"]


def test_a_body_that_takes_its_time_is_taken_as_long_as_nothing_has_changed(site: RpcSite) -> None:
    key = Key(site, "patient", Role.TRAINER, Scope.TRAIN)
    headers = [f"X-API-Key: {key.text}", "Content-Type: application/json"]
    assert sent_late(site, "POST /train", in_json(TRAINING), lambda: None, *headers).status == 404


def test_a_call_of_a_key_that_is_revoked_before_its_message_is_not_answered(site: RpcSite) -> None:
    key, go = Key(site, "caller", Role.VIEWER, Scope.READ, Scope.PREDICT), threading.Event()

    def messages() -> Iterator[bytes]:
        go.wait(30)
        yield request(model_name="iris").SerializeToString()

    gate, checked = CallGate.check, threading.Event()

    async def noted(self: CallGate, *given: Any) -> Any:
        sight = await gate(self, *given)
        checked.set()
        return sight

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallGate, "check", noted)
        call = site.channel.stream_unary(f"{SERVICE}ModelInfer").future(messages(), metadata=[("x-api-key", key.text)])
        assert checked.wait(30)
    key.revoke()
    go.set()
    with pytest.raises(grpc.RpcError) as refused:
        call.result(30)
    assert refusal(refused.value).code == "UNAUTHENTICATED"


def test_who_begins_a_request_while_nobody_has_to_log_in_has_to_when_it_is_whole(stack: Stack, tmp_path: Path) -> None:
    def make_admin() -> None:
        add_user(opened.parts.whole_database, "anna", Role.ADMIN)
        eventually(lambda: opened.parts.access.known.recall_on() is True)

    with stack.settings(tmp_path / "home") as settings, rpc_site(settings) as opened:
        body = in_json(TRAINING)
        answer = sent_late(opened, "POST /train", body, make_admin, "Content-Type: application/json")
        assert (answer.status, answer.document["code"]) == (401, "not_authenticated")


def waited_for(site: RpcSite, key: Key, job: object, *, timeout: float = 60) -> httpx2.Response:
    return httpx2.get(f"{site.url}/jobs/{job}?wait=50", headers={"X-API-Key": key.text}, timeout=timeout)


def red_job(parts: Parts, name: str) -> Any:
    """A job that waits, on a dataset of the team red."""
    with parts.whole_database.write() as session:
        insert_dataset(session, name)
        give_dataset(session, name, owner=None, team="red")
    return add_job(parts.whole_database, dataset_name=name)


def test_nobody_waits_for_a_job_that_they_may_not_see(site: RpcSite) -> None:
    job, stranger = red_job(site.parts, "quiet"), Key(site, "stranger", Role.VIEWER, Scope.READ, team="blue")
    # In time, though the job goes on: else it would tell that there is one, and when it ends.
    assert waited_for(site, stranger, job, timeout=30).status_code == 404


@pytest.mark.parametrize(
    ("end", "status"), [("revoked", 401), pytest.param("another team", 404, marks=pytest.mark.thorough)]
)
def test_who_waits_for_a_job_is_not_told_of_it_once_they_may_not_see_it(site: RpcSite, end: str, status: int) -> None:
    word = end.partition(" ")[0]
    job, key = red_job(site.parts, f"told_{word}"), Key(site, f"waits-{word}", Role.VIEWER, Scope.READ, team="red")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(waited_for, site, key, job)
        eventually(lambda: site.parts.jobs_watch.waits() == 1)
        if end == "revoked":
            key.revoke()
        else:
            key.change(teams=["blue"])
        with site.parts.whole_database.write() as session:
            cancel(session, job)
        assert waiting.result().status_code == status
