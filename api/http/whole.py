"""What a connection offers beside the messages of ASGI: a body that is there as a whole, and an answer at one stroke.

A plain prediction takes less time than the server's messages about it, which look at each header by itself.
"""

from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from api.http.header_lines import lines_of

# Its name among the extensions of a scope.
WHOLE = "mlmini.whole"


class WholeRequest:
    """One request, of which each part may be had here instead of by messages."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The body, which can still be received; None where some of it is to come."""
        cycle = self._cycle
        return None if cycle.more_body or cycle.disconnected else bytes(cycle.body)

    @property
    def takes_answer(self) -> bool:
        """Whether to write an answer is all that is left to do: the connection goes on, and has room for it."""
        cycle = self._cycle
        return cycle.keep_alive and not cycle.flow.write_paused and not cycle.disconnected

    def answer(self, head: bytes, body: bytes) -> None:
        """Send an answer of status 200 to a request that takes it; the head has its headers, each with its end.

        Raises:
            RuntimeError: when the client has left.
        """
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"".join((STATUS_LINE[200], written(tuple(cycle.default_headers)), head, b"\r\n", body)))
        cycle.on_response()


@lru_cache(maxsize=8)
def written(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Headers as they are sent. Few are asked for: those of all answers, which the server makes anew in each second."""
    return lines_of(headers)
