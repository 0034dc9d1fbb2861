"""The parts of the platform that endpoints work with, and how they are opened."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from api.access.buckets import SharedBuckets
from api.access.credentials import GivenHeaders
from api.access.parts import Access
from api.access.rates import RateLimits
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
from shared.errors import DatabaseFailure
from shared.jobs.states import Kind
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


@dataclass(frozen=True)
class Parts(Platform):
    """Everything that endpoints work with.

    `database` and `cache` show only what the caller may see. `whole_database` and `serving`, which are behind them,
    show everything: they are for the platform's own work, whose results no caller gets.
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
        """What the sender of these headers sees, if they may predict; None where memory does not tell."""
        return self.access.admission.admits(given)

    def active_versions(self, place: ServingPlace) -> list[int]:
        """The versions that are active in a place; none while the database is away, since models in memory serve on."""
        try:
            with self.database.read() as session:
                found = active_models(session, dataset_name=place.dataset_name, stage=place.environment)
        except DatabaseFailure:
            return []
        return [model.version for model in found]


def open_parts(settings: Settings, seat: Seat, stack: ExitStack) -> Parts:
    """Open all parts; `stack` closes them in reverse order.

    The process starts without its object store, too: /readyz says so, and what needs no objects works.

    Raises:
        PlatformError: as `Platform.open` does.
    """
    platform = Platform.open(settings, stack, store_may_be_away=True)
    database, store, queue = platform.database, platform.store, platform.queue
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
