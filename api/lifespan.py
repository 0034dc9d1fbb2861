"""Opens the parts of the platform when the process starts, and closes them in reverse order."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.freshness import Freshness
from api.readiness import Readiness
from api.waiting import JobWatch
from shared.database import Database
from shared.datasets.reader import Reader
from shared.errors import DatabaseUnavailable, PlatformError, StoreUnavailable, WrongSettings
from shared.logging import get_logger
from shared.migration import is_current
from shared.object_store import ObjectStore, open_store
from shared.prediction.cache import PredictorCache
from shared.queue import JobQueue
from shared.registry.sealing import ArtifactKey, load_artifact_key
from shared.settings import Settings

log = get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """Everything that endpoints work with."""

    settings: Settings
    database: Database
    store: ObjectStore
    queue: JobQueue
    reader: Reader
    key: ArtifactKey
    cache: PredictorCache
    jobs_watch: JobWatch
    freshness: Freshness
    readiness: Readiness


def lifespan(settings: Settings, *, warm_up: bool) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The life of an application: its parts are in `app.state.parts` while it runs.

    With `warm_up` the libraries that the first prediction needs are imported once the process is ready.

    Raises:
        WrongSettings: when the database's schema is not the one of this release.
    """

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            try:
                app.state.parts = await run_in_threadpool(open_parts, settings, stack)
            except PlatformError as error:
                log.critical("start_refused", code=error.code, detail=error.detail)
                raise
            stack.callback(app.state.parts.jobs_watch.close)
            if warm_up:
                threading.Thread(target=_import_libraries, name="warm-up").start()
            log.info("api_started")
            yield
        log.info("api_stopped")

    return live


def open_parts(settings: Settings, stack: ExitStack) -> Parts:
    """Open all parts; `stack` closes them in reverse order.

    Raises:
        WrongSettings: when the database's schema is not the one of this release.
        DatabaseUnavailable: when the database does not answer.
    """
    settings.scratch.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sqlalchemy_url)
    stack.callback(database.close)
    _check_schema(database)
    store = open_store(settings)
    stack.callback(store.close)
    _prepare(store)
    key = load_artifact_key(settings)
    queue = JobQueue(settings)
    stack.callback(queue.close)
    reader = Reader(settings)
    stack.callback(reader.close)
    cache = PredictorCache(database, store, settings, key)
    stack.callback(cache.close)
    cache.start()
    readiness = Readiness.of(database=database, store=store, queue=queue)
    stack.callback(readiness.close)
    return Parts(
        settings=settings,
        database=database,
        store=store,
        queue=queue,
        reader=reader,
        key=key,
        cache=cache,
        jobs_watch=JobWatch(database),
        freshness=Freshness(cache),
        readiness=readiness,
    )


def _check_schema(database: Database) -> None:
    try:
        current = is_current(database)
    except SQLAlchemyError as error:
        raise DatabaseUnavailable("The database does not answer. Start it, or set MLMINI_DATABASE_URL.") from error
    if not current:
        raise WrongSettings(
            "The tables of the database are not those of this release. Run `alembic upgrade head` with the same "
            "settings, then start again."
        )


def _prepare(store: ObjectStore) -> None:
    try:
        store.prepare()
    except StoreUnavailable as error:
        # The process starts and says so under /readyz; whatever needs no object is served meanwhile.
        log.warning("object_store_unavailable", detail=error.detail)


def _import_libraries() -> None:
    # They take seconds that would otherwise be part of the first prediction.
    for name in ("pandas", "sklearn.pipeline"):
        import_module(name)
