"""The life of the application: opens its parts at the start, and closes them in reverse order at the end."""

import asyncio
import gc
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from importlib import import_module

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.first_start import FirstStart
from api.parts import Parts, open_parts
from api.processes.board import Seat
from shared.errors import PlatformError
from shared.logging import get_logger
from shared.prediction.cache import PredictorCache
from shared.settings import Settings

log = get_logger(__name__)

# What computes with compiled forms. Importing it takes a second, so it is not imported above.
COMPILED_MODELS = "shared.compiled.file"

# Another server of the same parts, such as gRPC's, which runs while the application does.
Beside = Callable[[FastAPI, Settings], AbstractAsyncContextManager[None]]


def lifespan(
    settings: Settings, seat: Seat, *, warm_up: bool, beside: Beside
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Make what FastAPI runs the application in. While it runs, its parts are in `app.state.parts`, and `beside` runs.

    With `warm_up`, a thread loads what the first prediction needs. At the very first start, the first process also
    adds the bundled examples to the catalog.

    Raises:
        PlatformError: as `open_parts` and `beside` do; `app.state.refused` is set then.
    """

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            others = AsyncExitStack()  # Closed before what is on `stack`.
            try:
                app.state.parts = await run_in_threadpool(open_parts, settings, seat, stack)
                others.push_async_callback(app.state.parts.access.counts.close)
                await others.enter_async_context(beside(app, settings))
            except PlatformError as error:
                app.state.refused = True
                log.critical("start_refused", code=error.code, detail=error.detail)
                raise
            stack.callback(app.state.parts.jobs_watch.close)
            stack.callback(app.state.parts.following.close)
            if warm_up:
                threading.Thread(target=_warm_up, args=[app.state.parts.serving], name="warm-up").start()
                if seat.number == 0:
                    _begin_first_start(app.state.parts, stack)
            seat.slate.begin()
            log.info("api_started")
            async with others:
                with _looking_when_rung(seat, app.state.parts.serving):
                    yield
            seat.slate.leave()
            app.state.access_lines.write()
        log.info("api_stopped")

    return live


@contextmanager
def _looking_when_rung(seat: Seat, cache: PredictorCache) -> Iterator[None]:
    """Look at the registry whenever another process of this address rings the bell."""
    bell, loop = seat.bell, asyncio.get_running_loop()
    if bell is None:
        yield
        return

    def hear() -> None:
        os.read(bell, 4096)
        cache.look_now()

    loop.add_reader(bell, hear)
    try:
        yield
    finally:
        loop.remove_reader(bell)


def _begin_first_start(parts: Parts, stack: ExitStack) -> None:
    if parts.settings.examples:
        first_start = FirstStart(parts.whole_database, parts.store, parts.reader, parts.settings)
        stack.callback(first_start.close)
        first_start.start()


def _warm_up(cache: PredictorCache) -> None:
    # This takes seconds, which the first prediction would otherwise have to wait.
    import_module(COMPILED_MODELS)
    with suppress(PlatformError):
        # Without the database nothing is preloaded; requests for a model will say why.
        cache.preload()
    # All that is in memory now stays there. Searching it for garbage would stop all requests for a fifth of a second.
    gc.freeze()
