"""What a connection offers besides the messages of ASGI: the whole body at once, and an answer in one piece.

A plain prediction takes less time than the server's messages for it, which handle each header by itself.
"""

from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from api.http.header_lines import lines_of

# The name of this extension in a scope.
WHOLE = "mlmini.whole"


class WholeRequest:
    """One request, whose body can be read here, and whose answer can be written here, instead of by messages."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The body, which can still be received by messages, too; None if it is not complete."""
        cycle = self._cycle
        return None if cycle.more_body or cycle.disconnected else bytes(cycle.body)

    @property
    def takes_answer(self) -> bool:
        """Whether nothing is left to do but to write the answer: the connection stays open, and has room for it."""
        cycle = self._cycle
        return cycle.keep_alive and not cycle.flow.write_paused and not cycle.disconnected

    def answer(self, head: bytes, body: bytes) -> None:
        """Send an answer with status 200; `head` has the lines of its headers. Ask `takes_answer` first.

        Raises:
            RuntimeError: when the client has left.
        """
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join((STATUS_LINE[200], written(tuple(cycle.default_headers)), head, b"\r\n", body)))
        cycle.on_response()


@lru_cache(maxsize=8)
def written(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Headers as they are sent: those of all answers, which the server renews every second."""
    return lines_of(headers)
