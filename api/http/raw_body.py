"""A body that is a plain file: received into the scratch folder, with little memory whatever its size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.datasets.spool import Spool, Spooled
from shared.errors import InvalidRequest

_BATCH_BYTES = 2**20


@asynccontextmanager
async def received_body(request: Request, *, folder: Path, threads: CapacityLimiter) -> AsyncIterator[Spooled]:
    """Receive the body of a request into a file in `folder`, written by `threads`, which lasts as long as the block.

    Raises:
        BodyTooLarge: when it is over the limit of `RequestLimits`.
        InvalidRequest: when the client disconnects before the end.
        ScratchFull, ScratchUnavailable: when the file cannot be written.
    """
    spool = Spool(folder)
    try:
        waiting = bytearray()
        try:
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= _BATCH_BYTES:
                    await to_thread.run_sync(spool.write, waiting, limiter=threads)
                    waiting = bytearray()
        except ClientDisconnect:
            raise InvalidRequest("The body ends early: the client is gone.") from None
        await to_thread.run_sync(spool.write, waiting, limiter=threads)
        yield await to_thread.run_sync(spool.finish, limiter=threads)
    finally:
        spool.discard()
