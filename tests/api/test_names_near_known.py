"""Names that come in addresses, in headers and with files, byte by byte: each is one that there is, or refused."""

import json
from collections.abc import Iterator
from http.client import HTTPException

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.rules import RULES
from tests.support.api_server import serving
from tests.support.mutated import bytes_near, effort
from tests.support.raw_http import RawAnswer, connected, read_answer
from tests.support.stack import Stack

pytestmark = pytest.mark.any_stack

NAMES = [
    *(b"iris", b"1", b"dev", b"7d444840-9dc0-11d1-b245-5ffdce74fad2", b"ensemble", b"RandomForestClassifier", b"anna"),
    *(b"not_found", b"My DataSet.csv.gz", b"..", b"%2e%2e%2f", b"iris%00", b"iris%0d%0aX-Planted:%201", b"%e2%80%ae"),
    *(
        b"z%C3%BCrich",
        b"%ff%fe",
        b"%u0041",
        b"iris/../iris",
        b"iris;a=1",
        b"iris?dry_run=true",
        b"iris#part",
        b"-1",
        b"0",
    ),
]
QUERIES = [
    b"dataset_name=iris&limit=10&cursor=eyJhIjogMX0&stage=dev",
    b"version=1&from=1&to=2&target=species&environment=dev",
    b"rows=10&wait=0&dry_run=true&erase=true&sort=accuracy&tag=a&versions=1,2",
]
HEADERS = {
    b"Host": b"127.0.0.1",
    b"X-Request-ID": b"my-request-1",
    b"Idempotency-Key": b"my-first-model",
    b"Accept": b"text/html, application/json;q=0.9, */*;q=0.1",
    b"Accept-Encoding": b"gzip;q=0, identity",
    b"Content-Type": b"application/json; charset=utf-8",
    b"Authorization": b"Bearer mlm_abcdefghij_0000000000000000",
    b"Cookie": b"mlmini_session=abc; mlmini_token=def",
    b"If-None-Match": b'W/"abc", "def"',
    b"Range": b"bytes=0-10, 20-",
    b"Last-Event-ID": b"17",
    b"Origin": b"http://127.0.0.1:8000",
    b"X-Forwarded-For": b"10.0.0.1, 127.0.0.1",
    b"traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"Inference-Header-Content-Length": b"12",
}
# What ends a line or begins the next part of it makes another request of it, which is asked elsewhere.
_ENDS = bytes.maketrans(b"\r\n ", b"___")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    with stack.settings(tmp_path_factory.mktemp("names")) as settings, serving(settings) as (url, _):
        yield url


@st.composite
def requests_near(draw: st.DrawFn) -> bytes:
    """A request at an address that there is, with such names in it and some such headers."""
    method, _, path = draw(st.sampled_from(sorted(RULES))).partition(" ")
    names = bytes_near(NAMES).map(lambda name: name[:3_000].translate(_ENDS))
    parts = [draw(names) if part.startswith("{") else part.encode() for part in path.split("/")]
    query = draw(bytes_near(QUERIES)).translate(_ENDS)[:3_000]
    target = b"/".join(parts) + (b"?" + query if draw(st.booleans()) else b"")
    chosen = draw(st.lists(st.sampled_from(sorted(HEADERS)), unique=True, max_size=4))
    lines = [name + b": " + draw(bytes_near([HEADERS[name]])).translate(_ENDS)[:3_000] for name in chosen]
    body = b"{}" if method in {"POST", "PATCH", "PUT"} else b""
    if b"Host" not in chosen:
        lines.append(b"Host: 127.0.0.1")
    lines += [b"Connection: close", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([method.encode() + b" " + target + b" HTTP/1.1", *lines, b"", body])


@effort(60)
@given(requests_near())
def test_any_name_in_an_address_or_a_header_is_answered_or_refused(url: str, request: bytes) -> None:
    refused_or_done(asked(url, request))


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nMy Table\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="My DataSet.csv"\r\nContent-Type: text/csv\r\n\r\n'
    b"a,b\n1,2\n\r\n--b--\r\n"
)


@effort(40)
@given(bytes_near([FORM, FORM.replace(b"filename=", b"filename*=UTF-8''"), FORM.replace(b"\r\n", b"\n")]))
def test_any_form_of_an_upload_is_read_or_refused(url: str, form: bytes) -> None:
    head = b"POST /datasets/upload?dry_run=true HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(form)
    refused_or_done(asked(url, head + form))


def asked(url: str, request: bytes) -> RawAnswer:
    """The answer to these bytes; there has to be one."""
    with connected(url) as connection:
        connection.sendall(request)
        try:
            return read_answer(connection, method=request.partition(b" ")[0].decode())
        except (HTTPException, OSError) as error:
            raise AssertionError(request) from error


def refused_or_done(answer: RawAnswer) -> None:
    assert answer.status < 500, answer
    assert "X-Planted" not in answer.headers
    assert b"Traceback" not in answer.body
    if answer.status >= 400 and answer.headers["content-type"] == "application/problem+json":
        problem = json.loads(answer.body)
        assert len(problem["detail"]) > 20
        assert problem["detail"].isprintable()
