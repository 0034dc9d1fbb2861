"""Receives plain requests and sends their answers: by the messages of ASGI where a server offers nothing quicker."""

from typing import Any

from starlette.types import Message, Receive, Send

from api.http.body_pace import ReceivedInTime
from api.http.errors import RequestTimeout
from api.http.middleware import LEFT, SECURITY_HEADERS
from api.http.whole import WholeRequest, written

_CONTENT_TYPE = (b"content-type", b"application/json")
_SAME_HEAD = written((_CONTENT_TYPE, *SECURITY_HEADERS))


async def received(receive: Receive, *, seconds: float, most: int) -> tuple[bytes | None, Receive]:
    """The body, of up to so many bytes, as `ReceivedInTime` has it, and what gives all of it to whoever asks next.

    None where it is larger, too slow, or broken off.
    """
    in_time = ReceivedInTime(receive, seconds=seconds)
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= most:
        try:
            message = await in_time()
        except RequestTimeout as error:
            return None, raising(error)
        if message["type"] != "http.request":
            return None, _again([_part(b"".join(parts), more=True), message], receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    body = b"".join(parts)
    return None if more or size > most else body, _again([_part(body, more=more)], receive)


async def send_answer(send: Send, whole: WholeRequest | None, answer: bytes, request_id: str) -> None:
    """Send JSON with status 200; a client that has left misses it."""
    try:
        if whole is not None and whole.takes_answer:
            head = b"content-length: %d\r\nx-request-id: %s\r\n" % (len(answer), request_id.encode())
            whole.answer(head + _SAME_HEAD, answer)
            return
        headers = [
            (b"content-length", str(len(answer)).encode()),
            _CONTENT_TYPE,
            (b"x-request-id", request_id.encode()),
            *SECURITY_HEADERS,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
    except RuntimeError as error:
        if LEFT not in str(error):
            raise


def raising(error: Exception) -> Receive:
    """What tells whoever receives of an error."""

    async def receive_nothing() -> Any:
        raise error

    return receive_nothing


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def _again(messages: list[Message], receive: Receive) -> Receive:
    """What gives messages that were received, and then what else comes."""
    waiting = list(reversed(messages))

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
