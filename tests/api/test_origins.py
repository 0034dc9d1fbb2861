"""Who a browser thinks it speaks to."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.raw_http import exchange
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def as_installed(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[Settings]:
    """Settings that name no further hosts, as in an installation."""
    with stack.settings(tmp_path_factory.mktemp("origins")) as settings:
        yield settings.model_copy(update={"allowed_hosts": ()})


@pytest.fixture(scope="module")
def url(as_installed: Settings) -> Iterator[str]:
    """A server of those settings."""
    with serving(as_installed) as (url, _):
        yield url


KNOWN = ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:8000", "[::1]:8000", "[0:0:0:0:0:0:0:1]", "localhost:"]
STRANGE = {
    "another name": ["evil.example"],
    "a name that begins alike": ["localhost.evil.example"],
    "an address of another machine": ["192.168.1.5:8000"],
    "an address in decimal": ["2130706433"],
    "an address in short": ["127.1"],
    "an address in octal": ["0177.0.0.1"],
    "a dot at the end": ["localhost."],
    "a user before it": ["127.0.0.1@evil.example"],
    "a user before ours": ["evil.example@127.0.0.1"],
    "two in one": ["localhost, evil.example"],
    "nothing": [""],
    "none": [],
    "two": ["localhost", "evil.example"],
    "the same twice": ["localhost", "localhost"],
}


@pytest.mark.parametrize("host", KNOWN)
def test_this_machine_is_answered_under_its_names(url: str, host: str) -> None:
    assert exchange(url, "GET /healthz HTTP/1.1", f"Host: {host}").status == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("hosts", STRANGE.values(), ids=STRANGE)
def test_no_other_name_is_answered(url: str, version: str, hosts: list[str]) -> None:
    answer = exchange(url, f"GET /healthz HTTP/{version}", *(f"Host: {host}" for host in hosts))
    assert (answer.status, answer.document["code"]) == (421, "unknown_host")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"] == answer.document["request_id"]
    assert "MLMINI_ALLOWED_HOSTS" in answer.document["detail"]


@pytest.mark.parametrize("target", ["/docs", "/", "/openapi.json", "/metrics", "/nothing", "/datasets/upload"])
def test_nothing_at_all_is_answered_under_another_name(url: str, target: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        assert exchange(url, f"{method} {target} HTTP/1.1", "Host: evil.example").status == 421


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost:8000/healthz", "localhost:8000", 200),
        ("http://evil.example/healthz", "localhost", 421),
        ("http://localhost/healthz", "evil.example", 421),
        ("http://evil.example/healthz", "evil.example", 421),
        ("http://127.0.0.1/healthz", "localhost", 421),
        ("http://localhost@evil.example/healthz", "localhost", 421),
    ],
)
def test_the_host_of_a_whole_url_as_the_target_counts_too(url: str, target: str, host: str, status: int) -> None:
    assert exchange(url, f"GET {target} HTTP/1.1", f"Host: {host}").status == status


def test_names_that_are_configured_are_answered_and_so_is_the_address_that_is_listened_on(
    as_installed: Settings,
) -> None:
    named = as_installed.model_copy(update={"host": "192.168.1.5", "allowed_hosts": ("ml.example.org", "fd00::1")})
    with TestClient(create_app(named)) as client:
        for host in ("ml.example.org", "ML.example.org:8443", "192.168.1.5:8000", "[fd00:0::1]", "localhost"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 200
        for host in ("example.org", "a.ml.example.org", "192.168.1.6"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 421
