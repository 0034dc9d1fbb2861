"""What a connection does with the transport below it, beside writing."""

import asyncio
import fcntl
import termios
from array import array
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class GentleTransport:
    """A transport that leaves it to its connection when it is closed."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.write = transport.write
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class ReadingInTurn(FlowControl):
    """Reads no more of a client while whole requests of it wait for their turn: else each answer made room for more."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Go on once the last of the requests that came is being answered."""
        if not self._waiting:
            super().resume_reading()


def unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes the system has for the client, which may be megabytes; 0 where it does not tell."""
    count = array("i", [0])
    # With TLS there is none any more while the connection ends.
    socket = transport.get_extra_info("socket")
    with suppress(OSError):
        if socket is not None:
            fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, count)
    return count[0]
