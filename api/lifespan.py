"""Opens the parts of the platform when the process starts, and closes them in reverse order."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.first_start import FirstStart
from api.group_commit import GroupCommit
from api.lanes import Lanes
from api.live.following import Following
from api.live.freshness import Freshness
from api.live.waiting import JobWatch
from api.predicting import Predicting
from api.readiness import ReadinessProbe
from shared.database import Database
from shared.database_access import open_database
from shared.database_file import protect_database
from shared.errors import PlatformError, StoreUnavailable
from shared.home import prepare_home
from shared.logging import get_logger
from shared.migration import check_schema
from shared.object_store import ObjectStore, open_store
from shared.prediction.cache import PredictorCache
from shared.queue import JobQueue
from shared.registry.sealed import open_artifact_key
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings
from shared.tables.reader import Reader

log = get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """Everything that endpoints work with."""

    settings: Settings
    lanes: Lanes
    database: Database
    accepting: GroupCommit
    store: ObjectStore
    queue: JobQueue
    reader: Reader
    key: ArtifactKey
    cache: PredictorCache
    predicting: Predicting
    jobs_watch: JobWatch
    following: Following
    freshness: Freshness
    readiness: ReadinessProbe


def lifespan(settings: Settings, *, warm_up: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The life of an application: its parts are in `app.state.parts` while it runs.

    With `warm_up` the libraries that the first prediction needs are imported once the process is ready, and the bundled
    examples are catalogued if this is the first start.

    Raises:
        PlatformError: as `open_parts` does; `app.state.refused` is set then.
    """

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            try:
                app.state.parts = await run_in_threadpool(open_parts, settings, stack)
            except PlatformError as error:
                app.state.refused = True
                log.critical("start_refused", code=error.code, detail=error.detail)
                raise
            stack.callback(app.state.parts.jobs_watch.close)
            stack.callback(app.state.parts.following.close)
            if warm_up:
                threading.Thread(target=_import_libraries, name="warm-up").start()
                _begin_first_start(app.state.parts, stack)
            log.info("api_started")
            yield
        log.info("api_stopped")

    return live


def open_parts(settings: Settings, stack: ExitStack) -> Parts:
    """Open all parts; `stack` closes them in reverse order.

    Raises:
        WrongSettings: when a setting leads nowhere, other users can change what it leads to, or the database's schema
            is not the one of this release.
        DatabaseUnavailable: when the database does not answer.
    """
    prepare_home(settings.home)
    prepare_home(settings.scratch)
    database = _open_database(settings, stack)
    store = _open_store(settings, stack)
    key = open_artifact_key(settings, database)
    queue = JobQueue(settings)
    stack.callback(queue.close)
    reader = Reader(settings)
    stack.callback(reader.close)
    cache = PredictorCache(database, store, settings, key)
    stack.callback(cache.close)
    cache.start()
    freshness = Freshness(cache)
    readiness = ReadinessProbe.of(database=database, store=store, queue=queue, reader=reader, scratch=settings.scratch)
    stack.callback(readiness.close)
    return Parts(
        settings=settings,
        lanes=Lanes(settings),
        database=database,
        accepting=GroupCommit(database),
        store=store,
        queue=queue,
        reader=reader,
        key=key,
        cache=cache,
        predicting=Predicting(cache, seconds=settings.predict_seconds),
        jobs_watch=JobWatch(database),
        following=Following(database, freshness, settings),
        freshness=freshness,
        readiness=readiness,
    )


def _open_database(settings: Settings, stack: ExitStack) -> Database:
    database = open_database(settings)
    stack.callback(database.close)
    protect_database(settings)
    check_schema(database)
    return database


def _open_store(settings: Settings, stack: ExitStack) -> ObjectStore:
    store = open_store(settings)
    stack.callback(store.close)
    try:
        store.prepare()
    except StoreUnavailable as error:
        # The process starts and says so under /readyz; whatever needs no object is served meanwhile.
        log.warning("object_store_unavailable", detail=error.detail)
    return store


def _begin_first_start(parts: Parts, stack: ExitStack) -> None:
    if parts.settings.examples:
        first_start = FirstStart(parts.database, parts.store, parts.reader, parts.settings)
        stack.callback(first_start.close)
        first_start.start()


def _import_libraries() -> None:
    # They take seconds that would otherwise be part of the first prediction.
    for name in ("pandas", "sklearn.pipeline"):
        import_module(name)
