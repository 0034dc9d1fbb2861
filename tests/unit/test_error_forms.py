"""Problems as the errors of other protocols: everything that they say is in one text."""

import asyncio
import json
from typing import Any

from starlette.types import Message

from api.http.problems import problem
from api.protocols.error_forms import explained, in_form
from api.protocols.v2.errors import V2_ERRORS
from shared.errors import BodyTooLarge, InvalidInput, InvalidRequest, PlatformError


def told(error: PlatformError) -> str:
    return explained(json.loads(bytes(problem(error, "id-1").body)))


def test_one_problem_is_its_sentence() -> None:
    assert told(InvalidInput("It is wrong.", errors=[{"loc": ["body"], "msg": "wrong"}])) == "It is wrong."


def test_several_problems_stand_in_lines_of_their_own() -> None:
    errors: list[dict[str, Any]] = [
        {"loc": ["body", "a", 0], "msg": "It is required."},
        {"loc": ["query"], "msg": "No."},
    ]
    assert told(InvalidInput("Two.", errors=errors, problem_count=2)) == (
        "2 things are wrong.\n- It is required.\n- No."
    )
    assert told(InvalidRequest("Two.", errors=errors)) == "2 things are wrong.\n- a.0: It is required.\n- query: No."


def test_problems_that_are_not_listed_are_counted() -> None:
    errors: list[dict[str, Any]] = [{"loc": ["body"], "msg": f"{at} is wrong."} for at in range(200)]
    first, *lines = told(InvalidInput("Many.", errors=errors, problem_count=200)).splitlines()
    assert first == "200 things are wrong. The first 100:"
    assert len(lines) == 100


def test_the_setting_of_a_limit_is_named() -> None:
    assert told(BodyTooLarge("Too large.", setting="A_SETTING")) == "Too large. The limit is that of A_SETTING."
    assert told(BodyTooLarge("Have A_SETTING raised.", setting="A_SETTING")) == "Have A_SETTING raised."


def test_addresses_of_a_protocol_are_those_below_its_own() -> None:
    assert [V2_ERRORS.covers(path) for path in ("/v2", "/v2/x", "/v20", "/", "/x/v2")] == [True, True] + [False] * 3


def passed(messages: list[Message]) -> list[Message]:
    """What comes out for what an application sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        send_in_form = in_form(V2_ERRORS, send, "GET")
        for message in messages:
            await send_in_form(message)

    asyncio.run(run())
    return sent


def test_what_is_no_problem_passes_as_it_is() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    body = {"type": "http.response.body", "body": b"{}", "more_body": True}
    assert passed([start, body, body]) == [start, body, body]


def test_a_problem_in_pieces_is_put_together() -> None:
    answer = problem(InvalidRequest("It is wrong."), "id-1", headers={"Allow": "GET"})
    start = {"type": "http.response.start", "status": 422, "headers": answer.raw_headers}
    whole = bytes(answer.body)
    pieces: list[Message] = [
        {"type": "http.response.body", "body": whole[:10], "more_body": True},
        {"type": "http.response.body", "body": whole[10:]},
    ]
    begun, body = passed([start, *pieces])
    headers = dict(begun["headers"])
    assert begun["status"] == 400
    assert json.loads(body["body"]) == {"error": "It is wrong."}
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"allow"] == b"GET"
