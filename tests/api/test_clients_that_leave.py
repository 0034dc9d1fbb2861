"""A client that leaves in the middle of an answer is not a failure of the platform."""

import asyncio
import contextlib
import socket

import uvloop
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from api.http.middleware import RequestContext

SCOPE = {"type": "http", "method": "GET", "path": "/models/1/artifact", "headers": []}


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An application that answers in two messages."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def receive() -> Message:
    return {"type": "http.disconnect"}


async def write_after_the_end() -> None:
    """Write to a connection that the loop has closed, of which its protocol has not heard yet."""
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        transport.abort()
        await asyncio.sleep(0)
        transport.write(b"x")


async def send_to_a_client_that_left(message: Message) -> None:
    if message["type"] == "http.response.body":
        await write_after_the_end()


async def fail(_message: Message) -> None:
    raise RuntimeError("no such message")


def test_a_client_that_left_is_not_told_as_a_failed_request() -> None:
    with capture_logs() as logs:
        uvloop.run(RequestContext(answer)(SCOPE.copy(), receive, send_to_a_client_that_left))
    assert not logs


def test_whatever_else_goes_wrong_with_an_answer_is() -> None:
    with capture_logs() as logs, contextlib.suppress(RuntimeError):
        uvloop.run(RequestContext(answer)(SCOPE.copy(), receive, fail))
    assert [line["event"] for line in logs] == ["request_failed"]
