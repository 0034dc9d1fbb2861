"""What a connection does with the transport below it, beside writing."""

import asyncio
import fcntl
import termios
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class GentleTransport:
    """A transport that leaves it to its connection when it is closed."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.write = transport.write
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes the system has for the client, which may be megabytes; 0 where it does not tell."""
    count = array("i", [0])
    with suppress(OSError):
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, count)
    return count[0]
