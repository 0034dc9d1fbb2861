"""What a JSON body may not hold, each with what it is told; nothing of it is a server error."""

import contextlib
import json
import time
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware

from api.http import problems
from api.http.json_body import MAX_DEPTH, StrictRoute, parse_json
from api.http.middleware import RequestContext
from shared.errors import BodyTooLarge, InvalidJson

MANY = 250_000

BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "The body is empty"),
    "blank": (b" \n", "The body is empty"),
    "cut off": (b'{"a": [1,', "at line 1, column 10"),
    "not JSON": (b"a=1&b=2", "at line 1, column 1"),
    "two values": (b"{}\n{}", "Extra data at line 2, column 1"),
    "a comment": (b"{} // hi", "Extra data"),
    "a trailing comma": (b"[1,]", "at line 1, column"),
    "single quotes": (b"{'a': 1}", "at line 1, column 2"),
    "NaN": (b'{"NaN": 1,\n "a": NaN}', "NaN is not a JSON number (use null for a missing value) at line 2, column 7"),
    "Infinity": (b"[Infinity]", "Infinity is not a JSON number"),
    "minus Infinity": (
        b"[1, -Infinity]",
        "-Infinity is not a JSON number (use null for a missing value) at line 1, column 5",
    ),
    "a number that overflows": (b"[1e999]", "the number 1e999 is too large at line 1, column 2"),
    "a negative number that overflows": (b"[-1e999]", "the number -1e999 is too large"),
    "a float of 5,000 digits": (b"[" + b"9" * 5000 + b".5]", "is too large at line 1, column 2"),
    "an integer of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "an integer of 5000 digits is too large"),
    "a repeated name": (b'{"a": 1, "b": 2, "a": 3}', 'the name "a" is given twice'),
    "a repeated name in disguise": (b'{"a": 1, "\\u0061": 3}', 'the name "a" is given twice'),
    "a repeated name deep inside": (b'[{"x": {"a": 1, "a": 1}}]', 'the name "a" is given twice'),
    "deep lists": (b"[" * 65 + b"]" * 65, "nested more than 64 levels"),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested more than 64 levels"),
    "deep lists without an end": (b"[" * 10_000, "nested more than 64 levels"),
    "a lone high surrogate": (b'{"a": "\\ud800"}', "half a surrogate pair at line 1, column 7"),
    "a lone low surrogate": (b'["\\uDC00x"]', "half a surrogate pair"),
    "a surrogate as a name": (b'{"\\udfff": 1}', "half a surrogate pair"),
    "a NUL character": (b'["a\\u0000b"]', "a NUL character at line 1, column 2"),
    "a control character": (b'["a\x01b"]', "Invalid control character"),
    "Latin-1": ('["é"]'.encode("latin-1"), "byte 3 is not UTF-8"),
    "UTF-16": ("[1]".encode("utf-16"), "byte 1 is not UTF-8"),
    "an encoded surrogate": (b'["\xed\xa0\x80"]', "is not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf[]", "BOM"),
    "a wrong escape": (b'["\\x41"]', "Invalid \\escape"),
}


@pytest.mark.asvs("15.3.7")
@pytest.mark.parametrize(("body", "words"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_not_strict_json_is_refused_with_its_place(body: bytes, words: str) -> None:
    with pytest.raises(InvalidJson) as caught:
        parse_json(body, most_lists=MANY)
    assert words in caught.value.detail
    assert caught.value.errors[0]["loc"] == ["body"]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"a": [1, -2.5e3, true, false, null, "[{\\"\\\\"], "b": {}}',
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "[" + ",".join("[[]]" for _ in range(100)) + "]",
        '["' + "[" * 1000 + '"]',
        '["\\ud83d\\ude00", "\\\\ud800", "\\\\u0000"]',
        "[1e308, 1e-999, 123456789012345678901234567890]",
    ],
)
def test_a_body_that_is_json_is_read_as_it_is(text: str) -> None:
    assert parse_json(text.encode(), most_lists=MANY) == json.loads(text)


@pytest.mark.parametrize("one", ["[]", "{}", '{"a": []}'])
def test_more_lists_and_objects_than_may_be_are_refused_before_they_are_read(one: str) -> None:
    lists = 1 + 3 * (one.count("[") + one.count("{"))
    body = f"[{one},{one},{one}]".encode()
    assert parse_json(body, most_lists=lists) == json.loads(body)
    # Cut off: who had read it would have found that first.
    with pytest.raises(BodyTooLarge, match=f"has {lists} lists and objects; one request may have {lists - 1}"):
        parse_json(body[:-1], most_lists=lists - 1)


def test_brackets_in_texts_are_no_lists() -> None:
    assert parse_json(b'["[[[{{{"]', most_lists=1) == ["[[[{{{"]


@pytest.mark.parametrize(
    "body",
    [
        b'["' + b'\\"' * 1_000_000,
        b"[" * 2_000_000,
        b"[]" * 1_000_000,
        b"[" + b"[]," * 1_000_000 + b"[]]",
        b'["' + b"\\ud83d\\ude00" * 200_000 + b'"]',
        b"{" + b",".join(b'"%d":1' % number for number in range(200_000)) + b',"7":1}',
        b"[" + b"-" * 2_000_000,
    ],
    ids=["open quote", "open lists", "many values", "many lists", "many escapes", "many names", "many signs"],
)
def test_a_hostile_body_takes_no_more_than_linear_time(body: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(InvalidJson, BodyTooLarge):
        parse_json(body, most_lists=MANY)
    assert time.process_time() - began < 5


@pytest.fixture(scope="module")
def echo() -> TestClient:
    """An application of one strict route that takes any JSON, and one whose body may be left out."""
    app = FastAPI(middleware=[Middleware(RequestContext)])
    app.router.route_class = StrictRoute
    app.state.most_lists = MANY
    problems.install(app)

    @app.post("/echo")
    def echo(body: Annotated[Any, Body()]) -> Any:
        return body

    @app.post("/maybe")
    def maybe(body: Annotated[dict[str, int] | None, Body()] = None) -> Any:
        return body

    return TestClient(app)


@pytest.mark.asvs("2.2.2")
@pytest.mark.parametrize("body", [body for body, _ in BAD_BODIES.values()], ids=BAD_BODIES.keys())
def test_over_http_each_is_a_422(echo: TestClient, body: bytes) -> None:
    answer = echo.post("/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_json"


@pytest.mark.asvs("3.5.2")
@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
    ],
)
def test_other_content_types_are_a_415(echo: TestClient, media_type: str | None) -> None:
    answer = echo.post("/echo", content=b"{}", headers={} if media_type is None else {"content-type": media_type})
    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("media_type", ["application/json", "APPLICATION/JSON; charset=UTF-8", "application/ld+json"])
def test_json_by_any_of_its_names_is_taken(echo: TestClient, media_type: str) -> None:
    answer = echo.post("/echo", content=b'{"a": [1]}', headers={"content-type": media_type})
    assert answer.json() == {"a": [1]}


def test_a_large_body_is_read_like_a_small_one(echo: TestClient) -> None:
    rows = [[number / 7, number] for number in range(50_000)]
    assert echo.post("/echo", json=rows).json() == rows


def test_a_body_that_may_be_left_out_is_strict_when_it_is_there(echo: TestClient) -> None:
    assert echo.post("/maybe").json() is None
    assert echo.post("/maybe", json={"a": 1}).json() == {"a": 1}
    assert echo.post("/maybe", content=b'{"a": 1}').status_code == 415
    bad = echo.post("/maybe", content=b'{"a": NaN}', headers={"content-type": "application/json"})
    assert bad.json()["code"] == "invalid_json"
