"""What happens around every call: an id, limits, errors as codes of gRPC, a line in the log, a count."""

import asyncio
import json
import time
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import grpc
import structlog
from anyio import to_thread
from google.protobuf.message import DecodeError

from api.http.access_lines import AccessLines
from api.http.errors import RequestTimeout
from api.http.metrics import Metrics
from api.http.problems import problem, unexpected
from api.http.request_ids import request_id_of
from api.http.request_limits import BodyLimit, too_large
from api.protocols.v2.errors import V2_ERRORS
from api.rpc.gate import CallGate, Metadata
from api.rpc.messages import MESSAGES, SERVICE
from api.rpc.service import Answer
from shared.accounts.networks import of_ipv4
from shared.accounts.sessions import Sender
from shared.accounts.sight import seeing
from shared.errors import InvalidRequest, PlatformError
from shared.logging import get_logger

log = get_logger(__name__)

# By the status that the same error has below `/v2`, which the log and the metrics name for calls, too.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
# As the log names a client that has left (nginx).
_LEFT = 499
# Larger messages are read in a thread, so that nobody waits for them.
_LARGE = 2**18
# A message of an error goes where headers do, of which clients take 8 KiB by default.
_MOST_TOLD = 4_000
# What metadata may say of the model.
_NAMED = {"environment", "target"}
_TOLD_AS_THEY_ARE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Ended(NamedTuple):
    """How a call ended: with the bytes of an answer, or with what is wrong."""

    status: int
    answer: bytes = b""
    told: str = ""
    # After how many seconds to ask again, where that is known.
    retry_after: int | None = None


class IncomingCall(NamedTuple):
    """One call of the service."""

    name: str
    answer: Answer
    context: Any
    request_id: str
    client: str | None
    # What it is told of limits, whatever becomes of it.
    told: dict[str, str]


class Calls:
    """Makes handlers of answers. Belongs to one event loop."""

    def __init__(
        self, gate: CallGate, metrics: Metrics, lines: AccessLines, *, limit: BodyLimit, body_seconds: float
    ) -> None:
        """A message has at most the bytes of `limit`, and `body_seconds` to arrive."""
        self._gate = gate
        self._metrics = metrics
        self._lines = lines
        self._limit = limit
        self._body_seconds = body_seconds
        self._running: set[asyncio.Future[Ended]] = set()

    def handler(self, name: str, answer: Answer) -> Any:
        """What answers the call of a name.

        To clients it takes one message. Here it is a stream, so that a call is known before its message is there: one
        whose message is too large, or does not come, has a line in the log like every other.
        """
        return grpc.stream_unary_rpc_method_handler(partial(self._handle, name, answer))

    async def _handle(self, name: str, answer: Answer, _messages: object, context: Any) -> bytes:
        began = time.perf_counter()
        given = dict(context.invocation_metadata() or ()).get("x-request-id", "")
        request_id = request_id_of(given if isinstance(given, str) else None)
        client = _client_of(context.peer())
        call = IncomingCall(name, answer, context, request_id, client, {})
        status = _LEFT
        try:
            ended = await self._ended(call)
            status = ended.status
            context.set_trailing_metadata(_trailers(call, ended.retry_after))
            if status != 200:
                status = await _abort(context, ended)
            return ended.answer
        finally:
            seconds = time.perf_counter() - began
            path = f"/{SERVICE}/{name}"
            self._metrics.count_request(method="POST", route=path, status=status, seconds=seconds)
            self._lines.add(
                request_id=request_id, client=client, method="POST", path=path, status=status, seconds=seconds
            )

    async def _ended(self, call: IncomingCall) -> Ended:
        metadata, request_id = call.context.invocation_metadata() or (), call.request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                # Before the message is read: nobody has to be heard out to be refused.
                sender = Sender(request_id=request_id, address=call.client)
                sight = await self._gate.check(call.name, metadata, sender, call.told)
                content = await self._content(call.context)
                # A client can take its time with a message, and may not call any more when it is there.
                await self._gate.check_again(call.name, metadata, sight)
            except PlatformError as error:
                return _refused(error, request_id)
            with seeing(sight):
                work = asyncio.ensure_future(_answered(call, content, metadata))
        # A prediction that has begun goes on when its client leaves, and keeps its place among those of its model.
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        return await asyncio.shield(work)

    async def _content(self, context: Any) -> bytes:
        """The bytes of the message.

        Raises:
            RequestTimeout: when they do not come in time.
            BodyTooLarge: when they are more than the limit.
            InvalidRequest: when there is no message.
        """
        try:
            async with asyncio.timeout(self._body_seconds):
                content = await context.read()
        except TimeoutError:
            seconds = f"{self._body_seconds:g} seconds"
            raise RequestTimeout(f"The message of the call did not arrive within {seconds}. Send it again.") from None
        if content is grpc.aio.EOF:
            raise InvalidRequest("The call has no message. Send one.")
        if len(content) > self._limit.max_bytes:
            raise too_large(self._limit)
        return bytes(content)


async def _abort(context: Any, ended: Ended) -> int:
    """End a call, and tell how it ended if it had before."""
    try:
        await context.abort(CODES[ended.status], ended.told)
    except grpc.aio.InternalError:
        # The library itself refuses a message that is far too large, of which nothing came here then.
        return 413 if ended.status == 400 else _LEFT
    return ended.status


async def _answered(call: IncomingCall, content: bytes, metadata: Metadata) -> Ended:
    try:
        read = partial(_read, f"{call.name}Request", content)
        message = await to_thread.run_sync(read) if len(content) > _LARGE else read()
        return Ended(200, await call.answer(message, _named(metadata)))
    except PlatformError as error:
        return _refused(error, call.request_id)
    except Exception as error:
        log.exception("request_failed", method="POST", path=f"/{SERVICE}/{call.name}")
        return _ended_with(unexpected(error, call.request_id).body)


def _read(name: str, content: bytes) -> Any:
    try:
        return MESSAGES[name].FromString(content)
    except DecodeError:
        sentence = f"The bytes of the call are not a message {name} of the protocol, whose texts are in UTF-8."
        raise InvalidRequest(sentence) from None


def _named(metadata: Metadata) -> dict[str, str]:
    """What the metadata say of the model; metadata are ASCII, and other texts have names that end in `-bin`.

    Raises:
        InvalidRequest: when they say something twice, or not in UTF-8.
    """
    found: dict[str, str] = {}
    for key, value in metadata:
        name = key.removesuffix("-bin")
        if name not in _NAMED:
            continue
        if name in found:
            raise InvalidRequest(f"'{name}' comes twice in the metadata. Send it once.")
        try:
            found[name] = value.decode() if isinstance(value, bytes) else value
        except UnicodeDecodeError:
            raise InvalidRequest(f"'{key}' of the metadata is not a text in UTF-8.") from None
    return found


def _refused(error: PlatformError, request_id: str) -> Ended:
    return _ended_with(problem(error, request_id).body)


def _ended_with(body: bytes | memoryview) -> Ended:
    found = json.loads(bytes(body))
    told = _short(V2_ERRORS.body_of(found)["error"])
    return Ended(V2_ERRORS.status_of(found), told=told, retry_after=found.get("retry_after"))


def _short(text: str) -> str:
    """As much of a text as fits, in whole lines where there are several; other characters than ASCII take more."""
    if _size(text) <= _MOST_TOLD:
        return text
    lines = text.split("\n")
    while len(lines) > 1 and _size("\n".join(lines)) > _MOST_TOLD:
        lines.pop()
    kept = "\n".join(lines)
    while _size(kept) > _MOST_TOLD:
        kept = kept[: len(kept) * 3 // 4]
    return f"{kept}\n…"


def _size(text: str) -> int:
    return len(quote(text, safe=_TOLD_AS_THEY_ARE))


def _trailers(call: IncomingCall, retry_after: int | None) -> tuple[tuple[str, str], ...]:
    limits = [(name.lower(), value) for name, value in call.told.items()]
    later = [] if retry_after is None else [("retry-after", str(retry_after))]
    return (("x-request-id", call.request_id), *limits, *later)


def _client_of(peer: str) -> str | None:
    """The address of a peer such as `ipv4:127.0.0.1:43356` or `ipv6:%5B::1%5D:43356`; none where it has left."""
    address = unquote(peer).partition(":")[2].rpartition(":")[0]
    return of_ipv4(address.strip("[]")) or None
