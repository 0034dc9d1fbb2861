"""A plain prediction is answered at one stroke, and by the messages of the server where that would not do."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from api.http.connection import Connection
from api.http.whole import WholeRequest
from tests.support.api_server import serving
from tests.support.models import Platform, iris_forest
from tests.support.raw_http import RawAnswer, connected, is_closed, read_answer
from tests.support.stack import Stack

pytestmark = pytest.mark.any_stack

BODY = json.dumps(
    {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}
).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: the-same\r\n"
PLAIN = b"Content-Type: application/json\r\n"
# The same media type, in a spelling that only the usual way reads.
USUAL = b"Content-Type: application/json ; charset=utf-8\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
WHOLE = b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """A server with a model of the irises in memory."""
    folder = tmp_path_factory.mktemp("whole")
    with stack.settings(folder / "home") as settings, serving(settings) as (url, parts):
        platform = Platform(parts.database, parts.store, settings, parts.key, folder)
        platform.train(platform.dataset(), iris_forest().in_form())
        assert answer_to(url, HEAD + USUAL + WHOLE).status == 200
        yield url


@pytest.fixture
def strokes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the bodies that were answered at one stroke."""
    found: list[int] = []
    answer = WholeRequest.answer

    def note(self: WholeRequest, head: bytes, body: bytes) -> None:
        found.append(len(body))
        answer(self, head, body)

    monkeypatch.setattr(WholeRequest, "answer", note)
    return found


def answer_to(url: str, *pieces: bytes) -> RawAnswer:
    """The answer to a request that is sent in pieces."""
    with connected(url) as connection:
        for place, piece in enumerate(pieces):
            # Long enough for the server to have read the one before.
            time.sleep(0.2 if place else 0)
            connection.sendall(piece)
        return read_answer(connection, method="POST")


def undated(answer: RawAnswer) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer but its moment; the order of headers means nothing."""
    headers = sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() != "date")
    return answer.status, headers, answer.body


def test_an_answer_at_one_stroke_is_the_one_that_messages_make(url: str, strokes: list[int]) -> None:
    usual = answer_to(url, HEAD + USUAL + WHOLE)
    assert strokes == []
    short = answer_to(url, HEAD + PLAIN + WHOLE)
    assert strokes == [len(short.body)]
    assert undated(short) == undated(usual)
    assert short.headers["date"]
    assert short.document["predictions"] == ["setosa"]


SENT: dict[str, tuple[tuple[bytes, ...], bool]] = {
    "a body that comes later": ((HEAD + PLAIN + WHOLE.removesuffix(BODY), BODY), True),
    "a body in pieces": ((HEAD + PLAIN + WHOLE[:-20], WHOLE[-20:]), True),
    "a client that waits to be told to go on": (
        (HEAD + PLAIN + b"Expect: 100-continue\r\n" + WHOLE.removesuffix(BODY), BODY),
        True,
    ),
    "chunks": ((HEAD + PLAIN + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,), False),
    "a connection for one request": ((HEAD + PLAIN + b"Connection: close\r\n" + WHOLE,), False),
    "an older version": ((HEAD.replace(b"1.1", b"1.0") + PLAIN + WHOLE,), False),
}


@pytest.mark.asvs("4.2.1")
@pytest.mark.parametrize("sent", SENT)
def test_however_it_is_sent_a_request_is_answered(url: str, sent: str, strokes: list[int]) -> None:
    pieces, at_one_stroke = SENT[sent]
    answer = answer_to(url, *pieces)
    assert (answer.status, answer.document["predictions"]) == (200, ["setosa"])
    assert bool(strokes) == at_one_stroke


def test_a_connection_for_one_request_is_closed_after_it(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(HEAD + PLAIN + b"Connection: close\r\n" + WHOLE)
        assert read_answer(connection, method="POST").headers["connection"] == "close"
        assert is_closed(connection)


def test_requests_that_come_together_are_answered_in_their_order(url: str, strokes: list[int]) -> None:
    wrong = BODY.replace(b"[5.1, 3.5, 1.4, 0.2]", b"[true]")
    refused = HEAD + PLAIN + b"Content-Length: %d\r\n\r\n%s" % (len(wrong), wrong)
    came = b""
    with connected(url) as connection:
        connection.sendall((HEAD + PLAIN + WHOLE) * 2 + refused + HEAD + PLAIN + WHOLE)
        while came.count(b'"predictions"') < 3:
            came += connection.recv(2**16)
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"422", b"200"]
    assert len(strokes) == 3


def test_a_connection_goes_on_after_an_answer_at_one_stroke(url: str, strokes: list[int]) -> None:
    with connected(url) as connection:
        for _ in range(5):
            connection.sendall(HEAD + PLAIN + WHOLE)
            assert read_answer(connection, method="POST").document["predictions"] == ["setosa"]
    assert len(strokes) == 5


def test_no_more_is_read_while_requests_wait_for_their_turn(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[int] = []
    receive = Connection.data_received

    def note(self: Connection, data: bytes) -> None:
        waiting.append(len(self.pipeline))
        receive(self, data)

    monkeypatch.setattr(Connection, "data_received", note)
    count, came = 4000, 0
    with connected(url) as connection:
        sender = threading.Thread(target=connection.sendall, args=((HEAD + PLAIN + WHOLE) * count,))
        sender.start()
        rest = b""
        while came < count:
            rest += connection.recv(2**16)
            came += rest.count(b'"predictions"')
            rest = rest[-len(b'predictions"') :]
        sender.join()
    assert len(waiting) > 1
    assert set(waiting) == {0}


def test_what_breaks_off_behind_a_request_under_way_is_not_taken_for_its_answer(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = HEAD + PLAIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    with connected(url) as connection:
        # Together, so that the first cannot have been answered when the second is looked at.
        connection.sendall(HEAD + PLAIN + WHOLE + broken)
        assert is_closed(connection)
    assert answer_to(url, HEAD + PLAIN + WHOLE).status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_leaves_its_requests_unanswered_is_no_error(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with connected(url) as connection:
        # It leaves at once, with more answers than the system keeps for it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        assert connection.recv(1)
    assert answer_to(url, HEAD + USUAL + WHOLE).status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
