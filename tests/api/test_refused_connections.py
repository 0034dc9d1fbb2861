"""What is no request that the application could see is refused in the form of all other errors."""

import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from api.http.problems import known_codes
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.raw_http import RawAnswer, connected, exchange, is_closed, read_answer
from tests.support.stack import Stack

pytestmark = pytest.mark.any_stack

LONG = "x" * 70_000
HOST = "Host: localhost"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """A server."""
    with stack.settings(tmp_path_factory.mktemp("refused")) as settings, serving(settings) as (url, _):
        yield url


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "words": (b"good morning\r\n\r\n", 400, "malformed_request"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed_request"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_request"),
    "a version that is none": (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400, "malformed_request"),
    "a method that nobody knows": (b"FROB / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"),
    "a tunnel": (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"),
    "a target without a path": (b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"),
    "a target of other letters": (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "malformed_request"),
    "a header without a colon": (b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", 400, "malformed_request"),
    "a blank in a name": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400, "malformed_request"),
    "a NUL in a header": (b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n", 400, "malformed_request"),
    "two lengths": (
        b"POST /train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        400,
        "malformed_request",
    ),
    "a length and chunks": (
        b"POST /train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    "a chunk without a length": (
        b"POST /train HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
        "malformed_request",
    ),
    "compressed chunks": (
        b"POST /train HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
        "unsupported_transfer_encoding",
    ),
    "chunks in chunks": (
        b"POST /train HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    "chunks of an old version": (
        b"POST /train HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
        "unsupported_transfer_encoding",
    ),
    "a long header": (f"GET / HTTP/1.1\r\n{HOST}\r\nA: {LONG}\r\n\r\n".encode(), 431, "headers_too_large"),
    "a long target": (f"GET /{LONG} HTTP/1.1\r\n{HOST}\r\n\r\n".encode(), 431, "headers_too_large"),
    "many headers": (
        f"GET / HTTP/1.1\r\n{HOST}\r\n".encode() + b"A: bcdefghij\r\n" * 7_000 + b"\r\n",
        431,
        "headers_too_large",
    ),
    "more than 200 headers, of which none has any bytes": (
        f"GET /healthz HTTP/1.1\r\n{HOST}\r\n".encode() + b"A:\r\n" * 200 + b"\r\n",
        431,
        "headers_too_large",
    ),
    "as many for a prediction": (
        f"POST /predict HTTP/1.1\r\n{HOST}\r\nContent-Length: 2\r\n".encode() + b"A:\r\n" * 199 + b"\r\n{}",
        431,
        "headers_too_large",
    ),
    "as many behind the body": (
        f"POST /train HTTP/1.1\r\n{HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + b"0\r\n" + b"A:\r\n" * 200,
        431,
        "headers_too_large",
    ),
    "a header without an end": (f"GET / HTTP/1.1\r\n{HOST}\r\nA: {LONG}".encode(), 431, "headers_too_large"),
}


@pytest.mark.asvs("4.2.1")
@pytest.mark.parametrize(("sent", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_is_refused_as_everything_else_is(url: str, sent: bytes, status: int, code: str) -> None:
    with connected(url) as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
        assert is_closed(connection)
    assert (answer.status, answer.document["code"]) == (status, code)
    assert answer.headers["Connection"] == "close"
    _check_form(answer)
    assert known_codes()[code].__doc__


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize("case", ["words", "chunks in chunks", "a long header"])
def test_what_is_refused_before_the_application_is_in_the_log(url: str, case: str) -> None:
    sent, _, code = REFUSED[case]
    with capture_logs() as logs, connected(url) as connection:
        connection.sendall(sent)
        request_id = read_answer(connection).document["request_id"]
    (line,) = (line for line in logs if line["event"] == "request_refused")
    assert (line["code"], line["client"], line["request_id"]) == (code, "127.0.0.1", request_id)


def test_a_client_of_http_2_is_told_what_to_send(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(REFUSED["HTTP/2"][0])
        assert "Send it in HTTP/1.1." in read_answer(connection).document["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/jobs/5"])
def test_a_websocket_is_refused_as_a_request_to_the_same_address(url: str, path: str) -> None:
    upgrade = "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: aaaaaaaa"
    answer = exchange(url, f"GET {path} HTTP/1.1", HOST, *upgrade)
    assert (answer.status, answer.headers["Connection"]) == (404, "close")
    _check_form(answer)


def test_an_offer_of_another_protocol_is_passed_over(url: str) -> None:
    answer = exchange(url, "GET /healthz HTTP/1.1", HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
    assert (answer.status, answer.document) == (200, {"status": "ok"})


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_body_is_read_though_its_request_offers_another_protocol(url: str, pieces: int) -> None:
    offer = "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB"
    lines = "POST /train HTTP/1.1", HOST, *offer, "Content-Type: application/json", "Content-Length: 16"
    sent = "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + b'{"dataset":"no"}'
    size = len(sent) // pieces + 1
    with connected(url) as connection:
        for start in range(0, len(sent), size):
            connection.sendall(sent[start : start + size])
            # Long enough for the server to have read it.
            time.sleep(0.1)
        answer = read_answer(connection, method="POST")
        assert is_closed(connection)
    assert (answer.status, answer.document["code"]) == (422, "invalid_request")
    assert "dataset_name" in answer.document["detail"]


def test_what_follows_an_answered_request_is_refused_and_what_follows_one_under_way_ends_the_connection(
    url: str,
) -> None:
    with connected(url) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(connection).status == 200
        connection.sendall(b"good morning\r\n\r\n")
        assert read_answer(connection).status == 400
    with connected(url) as connection:
        # Together, so that the first cannot have been answered when the second is looked at.
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\ngood morning\r\n\r\n")
        assert is_closed(connection)


def test_as_many_headers_as_may_be_are_taken_with_each_request(url: str) -> None:
    sent = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n".encode() + b"A:\r\n" * 199 + b"\r\n"
    with connected(url) as connection:
        for _ in range(2):
            connection.sendall(sent)
            assert read_answer(connection).status == 200


def test_headers_that_come_behind_a_body_are_none_of_the_request(url: str) -> None:
    lines = "POST /train HTTP/1.1", HOST, "Content-Type: application/json", "Transfer-Encoding: chunked"
    answer = exchange(url, *lines, body=b"2\r\n{}\r\n0\r\nX-Request-ID: behind\r\nOrigin: http://evil.example\r\n\r\n")
    assert answer.status == 422
    assert answer.headers["X-Request-ID"] != "behind"


@pytest.mark.parametrize(
    ("path", "media_type", "most"),
    [
        ("/train", "application/json", Settings().json_max_bytes),
        # A form is somewhat larger than its file.
        ("/datasets/upload", "multipart/form-data; boundary=x", Settings().upload_max_bytes + 2**24),
    ],
)
def test_a_client_that_sends_all_of_a_large_body_before_it_reads_gets_its_answer(
    url: str, path: str, media_type: str, most: int
) -> None:
    for _ in range(5):
        # As urllib does, which asks for the connection to be closed, too.
        with connected(url) as connection:
            headers = f"Content-Type: {media_type}", f"Content-Length: {most + 1}", "Connection: close"
            lines = f"POST {path} HTTP/1.1", HOST, *headers
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            for _ in range(100):
                connection.sendall(b"x" * 2**16)
            answer = read_answer(connection)
        assert (answer.status, answer.document["code"]) == (413, "body_too_large")
        assert answer.headers["Connection"] == "close"


def test_a_prediction_that_is_too_large_is_refused_before_any_of_it_has_come(url: str) -> None:
    with connected(url) as connection:
        headers = "Content-Type: application/json", f"Content-Length: {Settings().json_max_bytes + 1}"
        connection.sendall("\r\n".join(["POST /predict HTTP/1.1", HOST, *headers, "", ""]).encode())
        answer = read_answer(connection)
    assert (answer.status, answer.document["code"]) == (413, "body_too_large")


def _check_form(answer: RawAnswer) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == answer.document["request_id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
