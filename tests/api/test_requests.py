"""What happens to every request, whatever it asks for."""

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from api.app import create_app
from api.http.json_body import StrictRoute
from api.http.reading_fields import READING_FIELDS
from api.schemas.base import RequestBody
from shared.settings import Settings
from tests.support.stack import Stack

JSON = {"content-type": "application/json"}


class _Text(RequestBody):
    text: str


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[TestClient]:
    """An application with limits of 1 KiB for JSON and 4 KiB for uploads, and a route for each way to read a body."""
    with stack.settings(tmp_path_factory.mktemp("limited")) as settings:
        yield from _limited(settings.model_copy(update={"json_max_bytes": 1024, "upload_max_bytes": 4096}))


def _limited(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings)
    app.router.route_class = StrictRoute
    app.state.most_lists = 100

    @app.post("/text")
    def take_text(body: _Text) -> int:
        return len(body.text)

    @app.post("/stream")
    async def take_stream(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    with TestClient(app) as client:
        yield client


def _chunks(size: int) -> Iterator[bytes]:
    yield b'{"text": "'
    for _ in range(size // 100):
        yield b"a" * 100
    yield b'"}'


@pytest.mark.parametrize("path", ["/text", "/stream"])
def test_a_body_over_the_limit_is_a_413(limited: TestClient, path: str) -> None:
    answer = limited.post(path, content=b"a" * 1025, headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "body_too_large"
    assert "1,024 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/text", "/stream"])
def test_a_body_in_chunks_is_counted(limited: TestClient, path: str) -> None:
    answer = limited.post(path, content=_chunks(2000), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_within_the_limit_is_taken_in_chunks_too(limited: TestClient) -> None:
    assert limited.post("/text", content=_chunks(800), headers=JSON).json() == 800


@pytest.mark.asvs("5.2.1")
def test_uploads_have_a_limit_of_their_own(limited: TestClient) -> None:
    answer = limited.post("/datasets/upload", content=b"a" * 2048)
    assert answer.status_code != 413
    answer = limited.post("/datasets/upload", content=b"a" * (4096 + 2**17 + sum(READING_FIELDS.values())))
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize("length", [b"9" * 400, "²".encode(), b"-1", b"1e9"])
def test_a_declared_length_that_cannot_be_right_is_no_crash(limited: TestClient, length: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    answer = limited.post("/text", content=b"{}", headers=headers)
    assert answer.status_code in {413, 422}


@pytest.mark.parametrize("given", ["abc-1.2_3", "x" * 128])
def test_a_valid_request_id_is_echoed(one_client: TestClient, given: str) -> None:
    assert one_client.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.asvs("1.2.1")
@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "{}", "a;b"])
def test_any_other_request_id_is_replaced(one_client: TestClient, given: str) -> None:
    answer = one_client.get("/healthz", headers=[(b"x-request-id", given.encode())])
    assert UUID(answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/nothing", "/jobs/a/b", "/%2e%2e/etc/passwd", "/jobs//", "/" + "a" * 5000, "/😀"])
def test_an_unknown_path_is_a_404_problem(one_client: TestClient, path: str) -> None:
    answer = one_client.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_wrong_method_is_a_405_with_the_right_ones(one_client: TestClient) -> None:
    answer = one_client.delete("/healthz")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET, HEAD"
    assert "takes GET, HEAD" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/datasets/a%00b", "/jobs?dataset_name=%00"])
def test_a_nul_in_the_address_is_refused_before_a_database_sees_it(one_client: TestClient, path: str) -> None:
    answer = one_client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/jobs", "/healthz", "/v2/health/live", "/models/iris/dev/predict"])
def test_a_line_break_after_an_address_makes_it_another_one(one_client: TestClient, path: str) -> None:
    for answer in (one_client.get(f"{path}%0A"), one_client.post(f"{path}%0A", json={})):
        assert answer.status_code in {400, 422}
        assert "ends with a line break" in answer.text


@pytest.mark.asvs("3.2.1", "3.4.3", "3.4.4", "3.4.5", "3.4.6")
@pytest.mark.parametrize("path", ["/healthz", "/docs", "/nothing"])
def test_answers_cannot_be_sniffed_or_framed(one_client: TestClient, path: str) -> None:
    headers = one_client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "object-src 'none'; base-uri 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/version", "/jobs", "/models", "/datasets", "/errors/not_found", "/docs"]
)
def test_head_is_answered_as_get_without_the_body(one_client: TestClient, path: str) -> None:
    get, head = one_client.get(path), one_client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


def test_head_tells_of_errors_too(one_client: TestClient) -> None:
    unknown = f"/jobs/{uuid4()}"
    for path, status in (("/jobs/5", 404), (unknown, 404), ("/no", 404), ("/train", 405), ("/healthz?x=1", 422)):
        get, head = one_client.get(path), one_client.head(path)
        assert (get.status_code, head.status_code, head.content) == (status, status, b""), path
        assert head.headers["content-type"] == "application/problem+json"
        # Its own id is part of the body, and all of these are of one length.
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))
        assert head.headers["x-request-id"] != get.headers["x-request-id"]


def test_head_is_logged_as_what_it_is(client: TestClient) -> None:
    with capture_logs() as logs:
        client.head("/errors")
    assert [line["method"] for line in logs if line["event"] == "request"] == ["HEAD"]
    assert 'method="HEAD",route="/errors"' in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/train", "/datasets/upload"])
def test_a_body_that_is_encoded_is_refused(one_client: TestClient, path: str) -> None:
    answer = one_client.post(path, content=b"\x1f\x8b", headers=JSON | {"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Send it as it is" in answer.json()["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    plain = one_client.post("/train", content=b"{}", headers=JSON | {"content-encoding": "identity"})
    assert plain.json()["code"] == "invalid_request"


def test_the_root_leads_to_the_docs(one_client: TestClient) -> None:
    answer = one_client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert one_client.get("/docs").status_code == 200


@pytest.mark.asvs("16.2.1")
def test_each_request_is_logged_with_its_id(client: TestClient) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        client.get("/errors", headers={"X-Request-ID": "the-id"})
        client.get("/healthz")
    (line,) = [line for line in logs if line["event"] == "request"]
    assert line.pop("seconds") > 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "request_id": "the-id",
        "method": "GET",
        "client": "testclient",
        "path": "/errors",
        "status": 200,
    }


def test_a_long_path_is_cut_in_the_log(client: TestClient) -> None:
    with capture_logs() as logs:
        client.get("/" + "a" * 60_000)
    (line,) = [line for line in logs if line["event"] == "request"]
    assert line["path"] == "/" + "a" * 199


def test_a_trailing_slash_is_another_address_and_the_right_one_is_named(one_client: TestClient) -> None:
    answer = one_client.get("/healthz/", follow_redirects=False)
    assert answer.status_code == 404
    assert "Did you mean '/healthz'?" in answer.json()["detail"]


def test_nothing_is_opened_before_the_application_starts(api_settings: Settings) -> None:
    app: FastAPI = create_app(api_settings)
    assert not hasattr(app.state, "parts")


def test_what_takes_no_body_refuses_one_that_says_something_in_every_operation(
    client: TestClient, app: FastAPI
) -> None:
    nobody = str(uuid4())
    bodiless = [
        (method, re.sub(r"\{\w+\}", nobody if "/jobs/" in path else "9", path))
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if method not in {"get", "head"} and "requestBody" not in operation
    ]
    assert ("post", f"/jobs/{nobody}/cancel") in bodiless
    for method, path in bodiless:
        said = client.request(method, path, json={"wait": True, "why": "slow"}).json()
        assert (said["code"], [error["loc"] for error in said["errors"]]) == (
            "invalid_request",
            [["body", "wait"], ["body", "why"]],
        )
        assert said["detail"].startswith("There is no field 'wait': this call takes no body.")
        for nothing in (b"", b" \n", b"{ }", b"null"):
            assert "takes no body" not in client.request(method, path, content=nothing).text


@pytest.mark.parametrize("content", [b"[1]", b"why", b"\xff", b"[" * 100_000, b'"' + b"x" * 20_000 + b'"'])
def test_a_body_that_is_no_object_is_refused_where_there_is_to_be_none(one_client: TestClient, content: bytes) -> None:
    problem = one_client.post(f"/jobs/{uuid4()}/cancel", content=content).json()
    assert (problem["code"], problem["errors"][0]["loc"]) == ("invalid_request", ["body"])
