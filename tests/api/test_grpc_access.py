"""Who may make which call over gRPC once there are accounts."""

import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx2
import pytest

from api.access.rules import Need
from api.parts import Parts
from api.rpc.gate import RULES_OF_CALLS
from api.rpc.service import Service
from shared.accounts.api_keys import create_key
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import find_user
from shared.audit.actions import Action, AuditOutcome
from shared.audit.listing import AuditFilter, list_entries
from shared.errors import DatabaseUnavailable
from tests.support.accounts import PASSWORD, add_user
from tests.support.rpc import SERVICE, RpcSite, refusal, request, rpc_site
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

OPEN = {"ServerLive", "ServerReady"}
# Written by hand, so that a row that slips in the table of the application is noticed.
SCOPES = {
    "ServerMetadata": {Scope.READ, Scope.PREDICT, Scope.TRAIN, Scope.PROMOTE, Scope.ADMIN},
    "ModelReady": {Scope.READ, Scope.PREDICT, Scope.TRAIN, Scope.PROMOTE, Scope.ADMIN},
    "ModelMetadata": {Scope.READ, Scope.PREDICT, Scope.TRAIN, Scope.PROMOTE, Scope.ADMIN},
    "RepositoryIndex": {Scope.READ, Scope.PREDICT, Scope.TRAIN, Scope.PROMOTE, Scope.ADMIN},
    "ModelInfer": {Scope.PREDICT, Scope.ADMIN},
}
NOBODYS = f"mlm_{'a' * 10}_{'0' * 64}"
SILENT_SECONDS = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[RpcSite]:
    """An API with one user, whose password is the usual one."""
    with stack.settings(tmp_path_factory.mktemp("grpc") / "home") as settings, rpc_site(settings) as site:
        assert site.ended("RepositoryIndex", b"").code == "OK"
        add_user(site.parts.database, "anna", Role.ADMIN)
        eventually(lambda: site.ended("RepositoryIndex", b"").code == "UNAUTHENTICATED")
        yield site


@pytest.fixture(scope="module")
def keys(site: RpcSite) -> dict[Scope, str]:
    """A key of each scope."""
    return {scope: key_of(site.parts, scope) for scope in Scope}


def key_of(parts: Parts, scope: Scope) -> str:
    with parts.database.write() as session:
        return create_key(session, find_user(session, "anna"), name=f"for {scope}", scopes=[scope])[1]


@pytest.mark.asvs("6.3.4")
def test_every_call_has_a_rule_and_stands_in_this_file(site: RpcSite) -> None:
    assert Service(site.parts).calls().keys() == RULES_OF_CALLS.keys() == SCOPES.keys() | OPEN
    assert {name for name, rule in RULES_OF_CALLS.items() if rule is Need.NOTHING} == OPEN


@pytest.mark.parametrize("name", sorted(OPEN))
def test_whether_it_lives_is_told_to_everybody(site: RpcSite, name: str) -> None:
    assert site.ended(name, b"").code == "OK"
    assert site.ended(name, b"", ("x-api-key", NOBODYS)).code == "OK"


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("name", sorted(SCOPES))
def test_a_call_is_for_those_who_may_and_nobody_else(site: RpcSite, keys: dict[Scope, str], name: str) -> None:
    content = request(model_name="none").SerializeToString() if name == "ModelInfer" else b""
    without = site.refused(name, content)
    assert (without.code, "no API key" in without.said) == ("UNAUTHENTICATED", True)
    assert "x-request-id" in without.trailers
    for scope, key in keys.items():
        for metadata in (("x-api-key", key), ("authorization", f"Bearer {key}")):
            ended = site.ended(name, content, metadata)
            assert ended.code != "UNAUTHENTICATED"
            assert (ended.code == "PERMISSION_DENIED") is (scope not in SCOPES[name]), (scope, ended)
            assert ended.code not in {"INTERNAL", "UNKNOWN"}


@pytest.mark.asvs("2.4.1")
def test_calls_are_counted_with_the_requests_of_their_user(tmp_path: Path, stack: Stack) -> None:
    with stack.settings(tmp_path / "home") as settings:
        limited = settings.model_copy(update={"rate_limit": 3, "predict_rate_limit": 1})
        with rpc_site(limited) as site:
            add_user(site.parts.database, "anna", Role.ADMIN)
            eventually(site.parts.access.known.is_on)
            key = ("x-api-key", key_of(site.parts, Scope.ADMIN))
            for left in (2, 1, 0):
                passed = site.ended("ServerMetadata", b"", key)
                assert (passed.code, "retry-after" in passed.trailers) == ("OK", False)
                assert passed.trailers["ratelimit-policy"] == '"requests";q=3;w=60'
                assert passed.trailers["ratelimit"].startswith(f'"requests";r={left};t=')
            refused = site.refused("RepositoryIndex", b"", key)
            assert refused.trailers["ratelimit-policy"] == '"requests";q=3;w=60'
            assert refused.trailers["ratelimit"] == f'"requests";r=0;t={refused.trailers["retry-after"]}'
            assert (refused.code, "3 requests a minute from 'anna'" in refused.said) == ("RESOURCE_EXHAUSTED", True)
            assert 1 <= int(refused.trailers["retry-after"]) <= 20
            content = request(model_name="none").SerializeToString()
            assert site.refused("ModelInfer", content, key).code == "NOT_FOUND"
            assert site.refused("ModelInfer", content, key).code == "RESOURCE_EXHAUSTED"
            # What is nobody's counts for its address.
            codes = [site.refused("RepositoryIndex", b"", ("x-api-key", NOBODYS)).code for _ in range(4)]
            assert codes == ["UNAUTHENTICATED"] * 3 + ["RESOURCE_EXHAUSTED"]
            ready = site.ended("ServerReady", b"")
            assert (ready.code, "ratelimit" in ready.trailers) == ("OK", False)


@pytest.mark.parametrize(
    "metadata",
    [
        [("x-api-key", NOBODYS)],
        [("x-api-key", "")],
        [("authorization", f"Basic {NOBODYS}")],
        [("authorization", "Bearer " + "a" * 5000)],
        [("x-api-key-bin", b"mlm_")],
        [("cookie", "mlmini_session=KEY")],
        [("x-api-key", "KEY"), ("x-api-key", "KEY")],
        [("x-api-key", "KEY"), ("authorization", "Bearer KEY")],
    ],
)
def test_what_is_no_credential_gets_nobody_in(
    site: RpcSite, keys: dict[Scope, str], metadata: list[tuple[str, str | bytes]]
) -> None:
    key = keys[Scope.ADMIN]
    given = [(name, text.replace("KEY", key) if isinstance(text, str) else text) for name, text in metadata]
    refused = site.refused("RepositoryIndex", b"", *given)
    assert refused.code == "UNAUTHENTICATED"
    assert key not in refused.said


def test_a_token_of_a_login_is_taken_until_the_login_ends(site: RpcSite) -> None:
    login = {"username": "anna", "password": PASSWORD}
    tokens = httpx2.post(f"{site.url}/auth/token", data=login).raise_for_status().json()
    bearer = f"Bearer {tokens['access_token']}"
    assert site.ended("RepositoryIndex", b"", ("authorization", bearer)).code == "OK"
    httpx2.post(f"{site.url}/auth/logout", headers={"Authorization": bearer}).raise_for_status()
    eventually(lambda: site.ended("RepositoryIndex", b"", ("authorization", bearer)).code == "UNAUTHENTICATED")


@pytest.mark.asvs("16.3.2")
def test_who_may_not_is_refused_before_the_message_is_there_and_the_record_tells(
    site: RpcSite, keys: dict[Scope, str]
) -> None:
    silent = threading.Event()
    # What others were refused of late would only be counted.
    site.parts.access.refusals.write_counts()

    def nothing() -> Iterator[bytes]:
        silent.wait(SILENT_SECONDS)
        yield from ()

    codes = []
    for metadata in ([], [("x-api-key", keys[Scope.READ]), ("x-request-id", "of-mine")]):
        with pytest.raises(grpc.RpcError) as ended:
            site.channel.stream_unary(f"{SERVICE}ModelInfer")(nothing(), metadata=metadata, timeout=SILENT_SECONDS / 2)
        codes.append(refusal(ended.value).code)
    silent.set()
    assert codes == ["UNAUTHENTICATED", "PERMISSION_DENIED"]
    with site.parts.database.read() as session:
        wanted = AuditFilter(action=Action.ACCESS_REFUSED, outcome=AuditOutcome.REFUSED)
        last = list_entries(session, wanted, limit=1)[0]
    assert (last.actor, last.subject, last.request_id) == ("anna", f"POST {SERVICE}ModelInfer", "of-mine")


@pytest.mark.asvs("16.5.3")
def test_while_the_database_is_away_nobody_gets_in_who_is_not_known(
    site: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.parts.database, "read", _away)
    refused = site.refused("RepositoryIndex", b"", ("x-api-key", NOBODYS.replace("a", "b")))
    assert (refused.code, "retry-after" in refused.trailers) == ("UNAVAILABLE", True)


def _away() -> None:
    raise DatabaseUnavailable
