"""A pace for bodies: a client may be slow, but must not stand still."""

import asyncio
from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any

from starlette.types import Message, Receive

from api.http.errors import RequestTimeout

# How much of a body has to arrive in each span of waiting, which any connection can do that is not stalled.
LEAST_BYTES = 2**14


class ReceivedInTime:
    """Receives the messages of one request, as an ASGI `receive`."""

    def __init__(self, receive: Receive, *, seconds: float) -> None:
        """Wait at most `seconds` for each `LEAST_BYTES`. The time that the application takes does not count."""
        self._receive = receive
        self._seconds = seconds
        self._waited = 0.0
        self._arrived = 0
        self._is_whole = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            RequestTimeout: when too little of the body has arrived.
        """
        if self._is_whole:
            # Now the application only waits for the client to disconnect.
            return await self._receive()
        message = await self._next()
        self._arrived += len(message.get("body", b""))
        if self._arrived >= LEAST_BYTES:
            self._waited, self._arrived = 0.0, 0
        self._is_whole = not message.get("more_body", False)
        return message

    async def _next(self) -> Message:
        """The next message. One that is there already needs no timeout, which takes longer than a prediction."""
        started = Started(self._receive())
        if started.is_over:
            return started.result
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._seconds - self._waited):
                message = await started
        except TimeoutError:
            raise RequestTimeout(
                f"Less than {LEAST_BYTES:,} bytes of the body came in {self._seconds:g} s. Look at the connection and "
                "send the request again."
            ) from None
        self._waited += clock() - began
        return message


class Started:
    """An awaitable that has been started: it is over if it had nothing to wait for; otherwise await it for the rest."""

    def __init__(self, waiting: Awaitable[Message]) -> None:
        """Run it until it waits for something; raises what it raises before that."""
        self._steps = waiting.__await__()
        self.is_over = False
        try:
            self._awaited = next(self._steps)
        except StopIteration as end:
            self.is_over = True
            self.result: Message = end.value

    def __await__(self) -> Generator[Any, Any, Message]:
        """Wait for the rest."""
        awaited = self._awaited
        while True:
            try:
                given = yield awaited
            except BaseException as error:  # noqa: BLE001 - it is for what waits, which ends by it or goes on
                resume = partial(self._steps.throw, error)
            else:
                resume = partial(self._steps.send, given)
            try:
                awaited = resume()
            except StopIteration as end:
                result: Message = end.value
                return result
