"""Multipart bodies, whole and broken, sent byte by byte where it matters."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.parts import Parts
from shared.settings import Settings
from shared.tables.options import ReadingOptions
from tests.support.full_disk import largest_file
from tests.support.waiting import eventually

TYPE = "multipart/form-data; boundary=limit"
FILE = b'Content-Disposition: form-data; name="file"; filename="data.csv"\r\nContent-Type: text/csv\r\n\r\na,b\n1,2\n'


def part(name: str, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value


def form(*parts: bytes, end: bytes = b"--limit--\r\n") -> bytes:
    return b"".join(b"--limit\r\n" + each + b"\r\n" for each in parts) + end


def spooled(parts: Parts) -> list[str]:
    return [path.name for path in parts.reader.folder.iterdir() if path.name.startswith("spool-")]


@pytest.mark.any_stack
@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_fields_may_come_before_and_after_the_file_in_pieces_of_any_size(client: TestClient, size: int) -> None:
    body = form(part("name", "Größe".encode()), FILE, part("description", b"x\r\n--limi"))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    answer = client.post("/datasets/upload", content=pieces(), headers={"content-type": TYPE})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["description"]) == ("gro_e", "x\r\n--limi")
    assert answer.json()["size_bytes"] == 8


@pytest.mark.any_stack
def test_a_file_may_hold_what_looks_like_a_boundary(client: TestClient) -> None:
    content = b'a\n"--limit"\n"\r\n--limit-"\n'
    body = form(part("x", b"").replace(b'"x"', b'"file"; filename="f.csv"') + content)
    answer = client.post("/datasets/upload", content=body, headers={"content-type": TYPE})
    assert (answer.status_code, answer.json()["size_bytes"]) == (201, len(content))


REFUSED: dict[str, tuple[str | None, bytes, int, str, str]] = {
    "JSON": ("application/json", b"{}", 415, "unsupported_media_type", "curl -F file=@"),
    "a plain file": ("text/csv", b"a,b\n1,2\n", 415, "unsupported_media_type", "multipart/form-data"),
    "no content type": (None, form(FILE), 415, "unsupported_media_type", "multipart/form-data"),
    "no boundary": ("multipart/form-data", form(FILE), 422, "invalid_request", "no boundary"),
    "a long boundary": (f"multipart/form-data; boundary={'x' * 71}", b"", 422, "invalid_request", "boundary"),
    "another boundary": ("multipart/form-data; boundary=other", form(FILE), 422, "invalid_request", "not built"),
    "an empty body": (TYPE, b"", 422, "invalid_request", "closing boundary"),
    "no end": (TYPE, form(FILE, end=b""), 422, "invalid_request", "closing boundary"),
    "no parts": (TYPE, form(), 422, "invalid_request", "no file"),
    "no file": (TYPE, form(part("name", b"x")), 422, "invalid_request", "no file"),
    "no file chosen": (TYPE, form(FILE.replace(b"data.csv", b"")), 422, "invalid_request", "No file was chosen"),
    "two files": (TYPE, form(FILE, FILE), 422, "invalid_request", "'file' comes twice"),
    "two names": (TYPE, form(part("name", b"x"), FILE, part("name", b"y")), 422, "invalid_request", "comes twice"),
    "an unknown field": (TYPE, form(part("nam", b"x"), FILE), 422, "invalid_request", "Did you mean 'name'?"),
    "a part without name": (TYPE, form(b"X-Other: 1\r\n\r\nx"), 422, "invalid_request", "part without a name"),
    "a long field": (TYPE, form(part("name", b"x" * 2000), FILE), 422, "invalid_request", "longer than 1,024"),
    "a field of wrong bytes": (TYPE, form(part("name", b"\xff"), FILE), 422, "invalid_request", "not UTF-8"),
    "a NUL in a field": (TYPE, form(part("description", b"x\0"), FILE), 422, "invalid_request", "U+0000. Leave it out"),
    "an escape in a field": (TYPE, form(part("name", b"x\x1b[31m"), FILE), 422, "invalid_request", "U+001B"),
    "a delete in a file name": (
        TYPE,
        form(FILE.replace(b"data.csv", b"da\x7fta.csv")),
        422,
        "invalid_request",
        "U+007F",
    ),
    "a long file name": (
        TYPE,
        form(FILE.replace(b"data.csv", b"x" * 300)),
        422,
        "invalid_request",
        "the limit is 255",
    ),
    "a long header": (TYPE, form(b"X-Long: " + b"x" * 9000 + b"\r\n" + FILE), 422, "invalid_request", "not built"),
    "many headers": (TYPE, form(b"X-A: 1\r\n" * 8 + FILE), 422, "invalid_request", "not built"),
    "a file without a name": (
        TYPE,
        form(part("file", b"a\n1\n")),
        422,
        "invalid_name",
        "`-F file=@table.csv`. Or name",
    ),
}


@pytest.mark.asvs("2.2.1")
@pytest.mark.any_stack
@pytest.mark.parametrize(("kind", "body", "status", "code", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_a_body_that_cannot_be_right_is_refused_with_a_hint_and_leaves_nothing(
    one_client: TestClient, one_parts: Parts, *, kind: str | None, body: bytes, status: int, code: str, hint: str
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = one_client.post("/datasets/upload", content=body, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert hint in problem["detail"]
    assert spooled(one_parts) == []
    assert one_client.get("/datasets").json()["items"] == []


@pytest.mark.asvs("2.3.2", "5.2.1")
@pytest.mark.any_stack
def test_a_file_over_the_limit_is_refused_declared_or_not(api_settings: Settings) -> None:
    settings = api_settings.model_copy(update={"upload_max_bytes": 100_000})
    app = create_app(settings)
    file = FILE + b"1,2\n" * 30_000
    with TestClient(app) as client:
        declared = client.post("/datasets/upload", content=form(file), headers={"content-type": TYPE})
        counted = client.post("/datasets/upload", content=iter([form(file)]), headers={"content-type": TYPE})
        assert client.post("/datasets/upload", content=form(FILE), headers={"content-type": TYPE}).status_code == 201
        assert spooled(app.state.parts) == []
    for answer in (declared, counted):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert "100,000 bytes" in answer.json()["detail"]


def test_a_form_of_another_kind_has_at_most_a_thousand_parts_or_fields(client: TestClient) -> None:
    names = [f"x{number}" for number in range(1001)]
    fields = client.post("/auth/token", data=dict.fromkeys(names, "1"))
    body = form(*(part(name, b"1") for name in names))
    parts = client.post("/auth/token", content=body, headers={"content-type": TYPE})
    for answer in (fields, parts):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert "Maximum number of fields is 1000" in answer.json()["detail"]


@pytest.mark.any_stack
def test_a_client_that_leaves_halfway_leaves_nothing(app: FastAPI, client: TestClient, parts: Parts) -> None:
    sent: list[Message] = []
    messages: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": form(FILE + b"1,2\n" * 600_000, end=b""), "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/datasets/upload", "raw_path": b"/datasets/upload", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"testserver"), (b"content-type", TYPE.encode())],
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    eventually(lambda: spooled(parts) == [])
    assert sent[0]["status"] == 422
    assert client.get("/datasets").json()["items"] == []


@pytest.mark.any_stack
def test_the_documentation_shows_the_file_field(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/datasets/upload"]["post"]
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["properties"]["file"]["format"] == "binary"
    assert set(schema["properties"]) == {"file", "name", "description", "team", *ReadingOptions.model_fields}
    # Swagger UI sends what an example says, unless it is empty.
    assert {field.get("example") for name, field in schema["properties"].items() if name != "file"} == {""}
    assert {"200", "201", "413", "415", "422"} <= set(operation["responses"])


def test_a_full_disk_is_told_by_its_own_code_and_is_not_the_object_store(client: TestClient, parts: Parts) -> None:
    table = b"a,b\n" + b"1,2\n" * 500_000
    assert client.post("/datasets/upload", files={"file": ("kept.csv", table)}).status_code == 201
    with largest_file(1_000_000):
        refused = client.post("/datasets/upload", files={"file": ("new.csv", table + b"3,4\n")})
        unseen = client.get("/datasets/kept/preview")
    for answer in (refused, unseen):
        assert (answer.status_code, answer.json()["code"]) == (503, "scratch_full")
        assert "Make room" in answer.json()["detail"]
        assert answer.headers["retry-after"]
    assert spooled(parts) == []
    assert client.get("/datasets/kept/preview").json()["rows"][0] == [1, 2]
