"""What was tried to do more than a role or the scopes of a key allow."""

from uuid import UUID

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.accounts.api_keys import create_key, revoke_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from shared.jobs import claims
from shared.jobs.acceptance import cancel
from shared.jobs.states import Kind
from shared.settings import Settings
from tests.support.accounts import add_user
from tests.support.api_server import serving
from tests.support.jobs import add_job, add_lines, claim_job
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack


@pytest.fixture(scope="module")
def accounts(one_parts: Parts) -> Parts:
    """The parts of a platform with a user of each role, who has the name of the role."""
    for role in Role:
        add_user(one_parts.database, role.value, role)
    one_parts.access.known.is_on()
    eventually(lambda: one_parts.access.known.recall_on() is True)
    return one_parts


def new_key(parts: Parts, role: Role, *scopes: Scope) -> tuple[int, dict[str, str]]:
    """The id of a new key and the header that it is sent in."""
    with parts.database.write() as session:
        row, text = create_key(session, find_user(session, role.value), name="for a test", scopes=scopes)
        return row.id, {"X-API-Key": text}


def promotion(parts: Parts, stage: str | None, *, ended: bool) -> UUID:
    request = {"dataset_name": "flowers", "version": 1} | ({"target_stage": stage} if stage else {})
    return made(parts, Kind.PROMOTE, request, ended=ended)


def made(parts: Parts, kind: Kind, request: dict[str, object], *, ended: bool) -> UUID:
    job_id = add_job(parts.database, kind=kind, request=request)
    if ended:
        with parts.database.write() as session:
            cancel(session, job_id)
    return job_id


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize("call", ["retry", "cancel"])
def test_a_job_is_cancelled_and_repeated_only_by_those_who_may_make_it(
    one_client: TestClient, accounts: Parts, call: str
) -> None:
    ended = call == "retry"
    staging, production = (promotion(accounts, stage, ended=ended) for stage in ("staging", "production"))
    training = made(accounts, Kind.TRAIN, {"dataset_name": "flowers", "target_column": "species"}, ended=ended)
    nameless = promotion(accounts, None, ended=ended)
    trainer = new_key(accounts, Role.TRAINER, Scope.TRAIN, Scope.PROMOTE)[1]
    only_trains = new_key(accounts, Role.ADMIN, Scope.TRAIN)[1]
    only_promotes = new_key(accounts, Role.ADMIN, Scope.PROMOTE)[1]

    def answered(job_id: UUID, key: dict[str, str]) -> int:
        return one_client.post(f"/jobs/{job_id}/{call}", headers=key).status_code

    refused = [(production, trainer), (nameless, trainer), (production, only_trains), (staging, only_trains)]
    assert [answered(*each) for each in [*refused, (training, only_promotes)]] == [403] * 5
    assert all(answered(*each) != 403 for each in [(staging, trainer), (training, trainer)])
    assert answered(production, only_promotes) == 202


def test_an_open_stream_tells_nothing_to_a_key_that_was_revoked(api_settings: Settings) -> None:
    with serving(api_settings) as (url, parts):
        add_user(parts.database, Role.ADMIN.value, Role.ADMIN)
        number, key = new_key(parts, Role.ADMIN, Scope.READ)
        # Nobody has to log in until the process has heard of the first user.
        eventually(lambda: httpx2.get(f"{url}/me").status_code == 401)
        job_id = add_job(parts.database)
        claim = claim_job(parts.database, job_id)
        with httpx2.stream("GET", f"{url}/jobs/{job_id}/events", headers=key, timeout=60) as response:
            told = response.iter_text()
            assert "running" in next(told)
            with parts.database.write() as session:
                revoke_key(session, number)
            eventually(lambda: httpx2.get(f"{url}/me", headers=key).status_code == 401)
            add_lines(parts.database, claim, "a secret")
            with parts.database.write() as session:
                claims.succeed(session, claim)
                claims.put_outcome(session, claim, result={"version": 1})
            assert "a secret" not in "".join(told)


@pytest.mark.asvs("8.2.2")
def test_a_key_revokes_itself_and_no_other_unless_it_may_manage(one_client: TestClient, accounts: Parts) -> None:
    narrow, sent = new_key(accounts, Role.ADMIN, Scope.READ)
    other, _ = new_key(accounts, Role.ADMIN, Scope.PROMOTE)
    _, managing = new_key(accounts, Role.ADMIN, Scope.ADMIN)

    refused = one_client.delete(f"/api-keys/{other}", headers=sent)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert one_client.delete(f"/api-keys/{narrow}", headers=sent).status_code == 204
    assert one_client.delete(f"/api-keys/{other}", headers=managing).status_code == 204
