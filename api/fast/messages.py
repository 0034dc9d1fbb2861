"""Receives plain requests and sends their answers: by the messages of ASGI where a server offers nothing quicker."""

from typing import Any

from starlette.types import Message, Receive, Send

from api.http.body_pace import ReceivedInTime
from api.http.errors import RequestTimeout
from api.http.middleware import LEFT, SECURITY_HEADERS
from api.http.whole import WholeRequest, written

_CONTENT_TYPE = (b"content-type", b"application/json")
_SAME_HEAD = written((_CONTENT_TYPE, *SECURITY_HEADERS))


async def received(receive: Receive, *, seconds: float) -> tuple[bytes | None, Receive]:
    """The body if it is one message, as `ReceivedInTime` has it, and what gives all of it to whoever asks next."""
    try:
        message = await ReceivedInTime(receive, seconds=seconds)()
    except RequestTimeout as error:
        return None, _raising(error)
    is_whole = message["type"] == "http.request" and not message.get("more_body")
    return message.get("body", b"") if is_whole else None, _again(message, receive)


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


def _again(message: Message, receive: Receive) -> Receive:
    """What gives a message that was received, and then what else comes."""
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def _raising(error: Exception) -> Receive:
    async def receive_nothing() -> Any:
        raise error

    return receive_nothing
