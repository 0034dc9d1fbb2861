"""Bodies that arrive in time: a client may be slow, but has to get on."""

import asyncio

from starlette.types import Message, Receive

from api.http.errors import RequestTimeout

# How much of a body has to come in each span of waiting for it, which anything but a stalled connection can do.
LEAST_BYTES = 2**14


class ReceivedInTime:
    """Receives the messages of one request, as ASGI has it."""

    def __init__(self, receive: Receive, *, seconds: float) -> None:
        """At most `seconds` are spent on waiting for each `LEAST_BYTES`; what the application spends does not count."""
        self._receive = receive
        self._seconds = seconds
        self._waited = 0.0
        self._arrived = 0
        self._is_whole = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            RequestTimeout: when too little of the body came.
        """
        if self._is_whole:
            # What is awaited then is that the client goes away.
            return await self._receive()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._seconds - self._waited):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout(
                f"Less than {LEAST_BYTES:,} bytes of the body came in {self._seconds:g} s. Look at the connection and "
                "send the request again."
            ) from None
        self._waited += clock() - began
        self._arrived += len(message.get("body", b""))
        if self._arrived >= LEAST_BYTES:
            self._waited, self._arrived = 0.0, 0
        self._is_whole = not message.get("more_body", False)
        return message
