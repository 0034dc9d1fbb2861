"""What speaks TLS for a server that does not, as a tunnel before Redis would."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.certificates import Pair


class TlsFront:
    """Passes on what comes by TLS; `heard` counts the connections that were agreed on."""

    def __init__(self, port: int, pair: Pair) -> None:
        self._upstream = port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self.heard = 0
        self.port = 0

    async def serve(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            await asyncio.gather(_carry(reader, ours), _carry(theirs, writer))
        finally:
            for each in (ours, writer):
                each.transport.abort()


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(2**16):
            target.write(piece)
            await target.drain()
    target.close()


@contextmanager
def tls_front(port: int, pair: Pair) -> Iterator[TlsFront]:
    """One that serves within the block, on a loop of its own."""
    front, loop = TlsFront(port, pair), asyncio.new_event_loop()
    server = loop.run_until_complete(front.serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield front
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # The next turn of the loop closes the sockets.
    await asyncio.sleep(0.01)
