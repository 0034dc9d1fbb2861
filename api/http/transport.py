"""What a connection needs of its transport, besides writing."""

import asyncio
import fcntl
import termios
from array import array
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class GentleTransport:
    """A transport that lets its connection decide how it is closed."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.write = transport.write
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class ReadingInTurn(FlowControl):
    """Reads nothing more from a client while complete requests of it wait, since each answer would let in more."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Go on reading once the last request that has arrived is being answered."""
        if not self._waiting:
            super().resume_reading()


def unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes the system still has to send to the client, maybe megabytes; 0 if it does not say."""
    count = array("i", [0])
    # With TLS, there is no socket any more while the connection is closing.
    socket = transport.get_extra_info("socket")
    with suppress(OSError):
        if socket is not None:
            fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, count)
    return count[0]
