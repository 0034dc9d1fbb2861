"""The page of Swagger UI and the files that it loads."""

import re

import pytest
from fastapi.testclient import TestClient

from api.docs.page import assets

pytestmark = pytest.mark.any_stack


@pytest.mark.asvs("7.4.4", "14.2.3")
def test_the_page_loads_files_of_this_origin_only(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [address for address in loaded if "//" in address] == []
    assert {address.rpartition("/")[2] for address in loaded} == {*assets().files, "openapi.json", "login"}
    for address in loaded:
        assert client.get(f"/{address}").status_code == 200


@pytest.mark.asvs("3.4.3")
def test_the_page_allows_no_scripts_in_it_and_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    policy = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "<script>" not in page.text


def test_files_are_kept_for_ever_and_the_page_is_not(client: TestClient) -> None:
    assert client.get("/docs").headers["cache-control"] == "no-cache"
    for name in assets().files:
        answer = client.get(f"/docs/assets/{assets().digest}/{name}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs", f"/docs/assets/{assets().digest}/swagger-ui-bundle.js"])
def test_head_tells_what_get_would(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "cache-control", "content-security-policy"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.asvs("13.4.3")
@pytest.mark.parametrize(
    "path",
    [
        "/docs/assets/0000000000000000/swagger.js",
        f"/docs/assets/{assets().digest}/page.html",
        f"/docs/assets/{assets().digest}/..%2f__init__.py",
        "/docs/oauth2-redirect",
        "/redoc",
    ],
)
def test_other_files_are_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
