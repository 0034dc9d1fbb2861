"""Who a browser thinks it speaks to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.http.errors import ForeignOrigin
from api.protocols.forms import form_at
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.raw_http import exchange
from tests.support.stack import Stack

pytestmark = pytest.mark.any_stack


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


@pytest.mark.asvs("3.4.4")
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
    more = {"host": "192.168.1.5", "allow_open": True, "allowed_hosts": ("ml.example.org", "fd00::1")}
    named = as_installed.model_copy(update=more)
    with TestClient(create_app(named)) as client:
        for host in ("ml.example.org", "ML.example.org:8443", "192.168.1.5:8000", "[fd00:0::1]", "localhost"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 200
        for host in ("example.org", "a.ml.example.org", "192.168.1.6"):
            assert client.get("/healthz", headers={"Host": host}).status_code == 421


DOCUMENT = create_app(Settings(home=Path("never-opened"))).openapi()
CHANGES = [
    (method.upper(), re.sub(r"\{\w+\}", "1", path))
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method != "get"
]
FOREIGN = {
    "another name": ["Origin: http://evil.example"],
    "another port": ["Origin: http://localhost:3000"],
    "another name of this machine": ["Origin: http://127.0.0.1:8000"],
    "no port": ["Origin: http://localhost"],
    "null": ["Origin: null"],
    "empty": ["Origin: "],
    "no scheme": ["Origin: localhost:8000"],
    "a path behind it": ["Origin: http://localhost:8000/"],
    "two": ["Origin: http://localhost:8000", "Origin: http://evil.example"],
    "another site, by the browser's word": ["Sec-Fetch-Site: cross-site"],
    "another port, by the browser's word": ["Sec-Fetch-Site: same-site"],
    "by the browser's word alone": ["Origin: http://localhost:8000", "Sec-Fetch-Site: cross-site"],
    "by the origin alone": ["Origin: http://evil.example", "Sec-Fetch-Site: same-origin"],
    "a word that nobody knows": ["Sec-Fetch-Site: elsewhere"],
}
OWN = {
    "a program": [],
    "a page": ["Origin: http://localhost:8000", "Sec-Fetch-Site: same-origin"],
    "a page of an old browser": ["Origin: http://localhost:8000"],
    "a page behind TLS": ["Origin: https://localhost:8000"],
    "the person at the browser": ["Sec-Fetch-Site: none"],
}


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize(("method", "path"), [*CHANGES, ("PUT", "/nothing"), ("PATCH", "/nothing")])
def test_a_change_for_a_page_of_another_origin_is_refused(url: str, method: str, path: str) -> None:
    lines = f"{method} {path} HTTP/1.1", "Host: localhost:8000", "Content-Length: 0"
    answer = exchange(url, *lines, "Origin: http://evil.example")
    assert answer.status == 403
    if form_at(path) is None:
        assert answer.document["code"] == "foreign_origin"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.document["setting"] == "MLMINI_CORS_ORIGINS"
    said = " ".join(map(str, answer.document.values()))
    assert "MLMINI_CORS_ORIGINS" in said
    assert "'http://evil.example'" in said
    assert said not in f"{ForeignOrigin.__doc__} {ForeignOrigin.hint}"
    assert exchange(url, *lines).status not in {403, 421}


@pytest.mark.asvs("3.5.2")
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_whatever_is_not_the_very_origin_is_foreign(url: str, headers: list[str]) -> None:
    lines = "POST /train HTTP/1.1", "Host: localhost:8000", "Content-Length: 0"
    assert exchange(url, *lines, *headers).status == 403


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_the_pages_of_the_platform_and_programs_are_not(url: str, headers: list[str]) -> None:
    lines = "POST /train HTTP/1.1", "Host: localhost:8000", "Content-Length: 0"
    assert exchange(url, *lines, *headers).status == 415


def test_other_pages_may_lead_here(url: str) -> None:
    for method in ("GET", "HEAD"):
        answer = exchange(url, f"{method} /docs HTTP/1.1", "Host: localhost", "Sec-Fetch-Site: cross-site")
        assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


PAGE = "https://app.example.org"


@pytest.fixture(scope="module")
def trusting(as_installed: Settings) -> Iterator[TestClient]:
    """An application that trusts the pages of one origin."""
    with TestClient(create_app(as_installed.model_copy(update={"cors_origins": (PAGE,)}))) as client:
        client.headers["Host"] = "localhost:8000"
        yield client


@pytest.mark.asvs("3.4.2")
def test_a_page_of_a_listed_origin_may_read_and_change(trusting: TestClient) -> None:
    page = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    answer = trusting.get("/jobs", headers=page)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Origin" in answer.headers["Vary"]
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Request-ID", "Location", "Retry-After", "X-Warnings", "X-Model-Version", "X-Row-Count"} <= set(exposed)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    answer = trusting.post("/train", headers=page)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (415, PAGE)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_browser_that_asks_beforehand_is_told_what_a_listed_page_may_send(trusting: TestClient, method: str) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-api-key",
    }
    answer = trusting.options("/train", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Idempotency-Key", "X-API-Key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert answer.headers["X-Request-ID"]


STRANGERS = [
    "https://evil.example",
    "http://app.example.org",
    f"{PAGE}:8443",
    f"{PAGE}.evil.example",
    f"{PAGE}/",
    "null",
]


@pytest.mark.asvs("3.4.2")
@pytest.mark.parametrize("origin", STRANGERS)
def test_every_other_origin_is_as_foreign_as_before(trusting: TestClient, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in trusting.get("/jobs", headers={"Origin": origin}).headers
    assert trusting.post("/train", headers={"Origin": origin}).status_code == 403
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in trusting.options("/train", headers=asked).headers


def test_a_listed_origin_does_not_open_another_name_of_the_server(trusting: TestClient) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Host": "evil.example"}
    assert trusting.options("/train", headers=asked).status_code == 421
