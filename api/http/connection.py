"""One connection of a client: adds to the server's own protocol limits of time, size and number."""

import asyncio
from typing import cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from api.http.connection_limits import ConnectionLimits
from api.http.errors import HeadersTooLarge, RequestTimeout, TooManyConnections
from api.http.request_ids import new_request_id
from api.http.transport import GentleTransport, ReadingInTurn, unacknowledged
from api.http.upgrades import new_parser, without_offer
from api.http.whole import WHOLE, WholeRequest
from api.http.wrong_requests import MOST_HEADER_BYTES, MOST_HEADERS, host_of_target, malformed, refusal, wrong_headers
from shared.accounts.networks import of_ipv4
from shared.errors import PlatformError
from shared.logging import get_logger

log = get_logger(__name__)

# How long a client may go on sending after its last answer.
_LAST_SECONDS = 10


class Connection(HttpToolsProtocol):
    """Speaks HTTP with one client, who cannot use up time, memory or descriptors of the server."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        # Since when the headers of a request are due; None while a request is being answered.
        self.due_since: float | None = None
        self.has_asked = False
        # How much of an answer the client still has to take, and since when it has taken nothing.
        self._untaken = 0
        self._untaken_since = 0.0
        self._is_surplus = False
        self._is_ending = False
        self._header_bytes = 0
        # Of one request, those that come after its body included.
        self._header_count = 0
        # Between the headers of a request and the end of its body.
        self._in_body = False
        self._found: PlatformError | None = None
        # The head of a request that offers another protocol, without the offer.
        self._offered = b""
        # The request that is being answered, or was answered last.
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; if there are too many connections, take the place of one that is idle."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (of_ipv4(self.client[0]), self.client[1])
        self.flow = ReadingInTurn(transport, self.pipeline)
        self._gentle = cast("asyncio.Transport", GentleTransport(transport, self.end_after_answer))
        self.due_since = self.loop.time()
        self._is_surplus = len(self.connections) > self._limits.connections and not self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left: tell the request that is being answered."""
        self._abandon()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._is_ending:
            return
        self._unset_keepalive_if_required()
        was_in_body = self._in_body
        try:
            self._feed(memoryview(data))
        except httptools.HttpParserUpgrade:
            return  # CONNECT asks for a tunnel: the request is answered, and nothing more is read.
        except httptools.HttpParserError as error:
            self._refuse(self._found or malformed(error))
            return
        if self.due_since is not None and not was_in_body and not self._in_body:
            self._header_bytes += len(data)
            if self._header_bytes > MOST_HEADER_BYTES:
                self._refuse(HeadersTooLarge())

    def _feed(self, data: memoryview) -> None:
        """Parse data. After the offer of another protocol, parse the same head again without the offer."""
        while data:
            try:
                self.parser.feed_data(data)
                data = data[len(data) :]
            except httptools.HttpParserUpgrade as offer:
                if not self._offered:
                    raise
                data = data[offer.args[0] :]
                self.parser = new_parser(self)
                self.parser.feed_data(self._offered)

    def on_message_begin(self) -> None:
        """The first byte of a request has arrived."""
        self._in_body, self._header_count = False, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header; headers after the body, which nobody has checked, are ignored."""
        self._header_count += 1
        if self._header_count > MOST_HEADERS:
            # At once: nine thousand short ones fit into the bytes, and take some milliseconds of all other requests.
            self._found = HeadersTooLarge()
            raise ValueError(self._found.code)
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Answer the request, unless its headers are wrong."""
        version = self.parser.get_http_version()
        self._found = TooManyConnections() if self._is_surplus else wrong_headers(self.url, self.headers, version)
        if self._found is not None:
            raise ValueError(self._found.code)
        offered, self._offered = self._offered, b""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offered = without_offer(self.parser, self.url, self.headers)
            return
        if not self.url.startswith(b"/"):
            self.headers += host_of_target(self.url, self.headers)
        super().on_headers_complete()
        # Set before the application runs, which closes the connection through the transport of its cycle.
        self.cycle.transport = self._gentle
        self.scope["extensions"] = {WHOLE: WholeRequest(self.cycle)}  # type: ignore[dict-item]  # it has no fields
        self.due_since, self._header_bytes, self.has_asked, self._in_body = None, 0, True, True
        if offered or self.parser.should_upgrade():
            # What follows may be of the other protocol.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self._offered:
            return
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is complete, and the next request is due, after what is left of an unread body."""
        if self._is_ending:
            self.flow.resume_reading()
            return
        super().on_response_complete()
        if self.cycle.response_complete:
            self.due_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client has taken enough for the answer to go on."""
        self._untaken = 0
        super().resume_writing()

    def check_patience(self) -> None:
        """End the connection if a request is overdue, or the client does not take its answer."""
        if self._takes_nothing():
            self.transport.abort()
            return
        patience = _LAST_SECONDS if self._is_ending else self._limits.header_seconds
        if self.due_since is None or self.loop.time() - self.due_since < patience:
            return
        if self._header_bytes and not self._is_ending:
            self._refuse(RequestTimeout())
        else:
            self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _abandon(self) -> None:
        """Tell the request that is being answered that nobody waits; the server tells only the newest one."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def shutdown(self) -> None:
        """End as soon as no answer is under way."""
        if self._is_ending:
            self.transport.close()
        else:
            super().shutdown()

    def _takes_nothing(self) -> bool:
        """Whether the client has taken nothing of a waiting answer for too long."""
        untaken, now = self.transport.get_write_buffer_size() + unacknowledged(self.transport), self.loop.time()
        if not untaken or untaken != self._untaken:
            self._untaken, self._untaken_since = untaken, now
        return now - self._untaken_since >= self._limits.answer_seconds

    def _make_room(self) -> bool:
        """End the oldest connection that never sent complete headers, or else the one that has been idle longest."""
        waiting = [
            (other.has_asked, other.due_since, id(other), other)
            for other in self.connections
            if isinstance(other, Connection) and other is not self and other.due_since is not None
        ]
        if not waiting:
            return False
        *_, oldest = min(waiting)
        # Removed at once: the loop accepts others before it tells this one that it is lost.
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _refuse(self, error: PlatformError) -> None:
        """Answer in place of the application and end the connection: nobody knows where the next request begins."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or not self._in_body or self.pipeline:
                # The client would take this answer for that of an earlier request.
                self._abandon()
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        request_id = new_request_id()
        client = self.client[0] if self.client else None
        log.info("request_refused", client=client, code=error.code, request_id=request_id)
        self.transport.write(refusal(error, request_id, self.server_state.default_headers))
        self._end()

    def end_after_answer(self) -> None:
        """Close the connection; if the client is still sending a body, only after the rest of it."""
        if self._in_body:
            self._end()
        else:
            self.transport.close()

    def _end(self) -> None:
        """Send nothing more, but read for a while: closing at once would reset the connection, and lose the answer."""
        self._is_ending = True
        self.due_since = self.loop.time()
        if self.transport.can_write_eof():
            self.transport.write_eof()
