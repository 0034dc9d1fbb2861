"""Opens the parts of the platform when the process starts, and closes them in reverse order."""

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
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.access.buckets import SharedBuckets
from api.access.credentials import GivenHeaders
from api.access.parts import Access
from api.access.rates import RateLimits
from api.first_start import FirstStart
from api.group_commit import GroupCommit
from api.lanes import Lanes
from api.live.following import Following
from api.live.freshness import Freshness
from api.live.waiting import JobWatch
from api.predicting import Predicting
from api.processes.board import Seat
from api.queue_room import QueueRoom
from api.readiness import ReadinessProbe
from shared.accounts.sight import Sight
from shared.database import Database
from shared.errors import DatabaseFailure, PlatformError
from shared.jobs.states import Kind
from shared.logging import get_logger
from shared.platform import Platform
from shared.prediction.cache import PredictorCache
from shared.prediction.loaded import ServingPlace
from shared.prediction.seen import SeenModels
from shared.queue import JobQueue
from shared.registry.active import active_models
from shared.registry.compiling import ask_once
from shared.registry.sealing import Artifact
from shared.registry.teams import Walls
from shared.registry.visibility import SeenDatabase
from shared.settings import Settings
from shared.tables.reader import Reader

log = get_logger(__name__)

# What computes with compiled forms; to import it takes a second.
COMPILED_MODELS = "shared.compiled.file"


@dataclass(frozen=True)
class Parts(Platform):
    """Everything that endpoints work with.

    What is read of the `database` is what those may see for whom it is read. `whole_database` is for what nobody is
    told: it sees everything, as does `serving`, the models behind `cache`.
    """

    whole_database: Database
    walls: Walls
    lanes: Lanes
    access: Access
    limits: RateLimits
    accepting: GroupCommit
    queue_room: QueueRoom
    reader: Reader
    cache: SeenModels
    serving: PredictorCache
    predicting: Predicting
    jobs_watch: JobWatch
    following: Following
    freshness: Freshness
    readiness: ReadinessProbe

    @property
    def spool_folder(self) -> Path:
        """Where the bodies of requests are put while they are read."""
        return self.reader.folder

    def admits(self, given: GivenHeaders) -> Sight | None:
        """What whoever sends these headers sees, if they may ask for predictions; None where memory does not tell."""
        return self.access.admission.admits(given)

    def active_versions(self, place: ServingPlace) -> list[int]:
        """The versions to ask for; none while the database is away, for what is in memory serves on."""
        try:
            with self.database.read() as session:
                found = active_models(session, dataset_name=place.dataset_name, stage=place.environment)
        except DatabaseFailure:
            return []
        return [model.version for model in found]


Beside = Callable[[FastAPI, Settings], AbstractAsyncContextManager[None]]


def lifespan(
    settings: Settings, seat: Seat, *, warm_up: bool, beside: Beside
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The life of an application: its parts are in `app.state.parts` while it runs; `beside` serves them, too.

    With `warm_up` what the first prediction needs is made ready once the process serves, and the bundled examples are
    catalogued if this is the first start; the first of several processes does that.

    Raises:
        PlatformError: as `open_parts` and `beside` do; `app.state.refused` is set then.
    """

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            others = AsyncExitStack()
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
                with _heard(seat, app.state.parts.serving):
                    yield
            seat.slate.leave()
            app.state.access_lines.write()
        log.info("api_stopped")

    return live


@contextmanager
def _heard(seat: Seat, cache: PredictorCache) -> Iterator[None]:
    """Look at the registry whenever another process rings."""
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


def open_parts(settings: Settings, seat: Seat, stack: ExitStack) -> Parts:
    """Open all parts; `stack` closes them in reverse order.

    Without its object store the process starts and says so under /readyz; what works without objects is served.

    Raises:
        PlatformError: as `Platform.open` does.
    """
    platform = Platform.open(settings, stack, store_may_be_away=True)
    database, store, queue = platform.database, platform.store, platform.queue
    # The platform's own work sees everything; what endpoints read is for somebody.
    seen, walls = SeenDatabase(database), Walls()
    reader, access = Reader(settings), Access.open(database, platform.key, settings)
    stack.callback(reader.close)
    stack.callback(access.close)
    cache = _cache_of(platform, seat, access, walls)
    stack.callback(cache.close)
    cache.start()
    freshness = Freshness(cache, seat)
    readiness = ReadinessProbe.of_parts(database=database, store=store, queue=queue, reader=reader, settings=settings)
    stack.callback(readiness.close)
    models = SeenModels(cache, seen, walls, settings)
    return Parts(
        **(vars(platform) | {"database": seen}),
        whole_database=database,
        walls=walls,
        lanes=Lanes(settings),
        access=access,
        limits=RateLimits(settings, SharedBuckets(access.counts)),
        accepting=GroupCommit(database),
        queue_room=QueueRoom(database, settings.max_queued_jobs),
        reader=reader,
        cache=models,
        serving=cache,
        predicting=Predicting(models, seconds=settings.predict_seconds),
        jobs_watch=JobWatch(database),
        following=Following(database, freshness, settings),
        freshness=freshness,
        readiness=readiness,
    )


def _cache_of(platform: Platform, seat: Seat, access: Access, walls: Walls) -> PredictorCache:
    return PredictorCache(
        platform.database,
        platform.store,
        platform.settings,
        platform.key,
        formless=partial(_ask_for_form, database=platform.database, queue=platform.queue),
        caught_up=seat.slate.see,
        beside=partial(_look, access, walls),
    )


def _look(access: Access, walls: Walls, session: Session) -> None:
    access.known.look(session)
    walls.look(session)


def _ask_for_form(model: Artifact, *, database: Database, queue: JobQueue) -> None:
    asked = ask_once(database, model)
    if asked is not None:
        job_id, priority = asked
        queue.wake(job_id, Kind.COMPILE, priority)


def _begin_first_start(parts: Parts, stack: ExitStack) -> None:
    if parts.settings.examples:
        first_start = FirstStart(parts.whole_database, parts.store, parts.reader, parts.settings)
        stack.callback(first_start.close)
        first_start.start()


def _warm_up(cache: PredictorCache) -> None:
    # It takes seconds that would otherwise be part of the first prediction.
    import_module(COMPILED_MODELS)
    with suppress(PlatformError):
        # Whoever asks for a model hears that the database does not answer.
        cache.preload()
    # What is there by now stays. To look through it for garbage would stop all requests for a fifth of a second.
    gc.freeze()
