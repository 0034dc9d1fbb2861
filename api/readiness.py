"""Asks the parts that the platform needs whether they work, without ever hanging."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import redis

from api.schemas.health import Dependency, DependencyState
from shared.database import Database
from shared.database_access import check_intact
from shared.errors import DatabaseFailure, PlatformError
from shared.home import check_home
from shared.jobs.delivery import count_due_by_pool
from shared.migration import check_schema
from shared.object_store import ObjectStore
from shared.queue import JobQueue
from shared.redis_access import redis_problem
from shared.schema import metadata
from shared.settings import DEFAULT_POOL, Settings
from shared.tables.reader import Reader

TIMEOUT_SECONDS = 2.0

_REDIS = "Jobs are accepted and found without it."
_WORKERS = "Jobs are accepted and wait."


@dataclass
class Check:
    """How to ask one part, whose error says what is wrong, and a hint for when it does not answer at all."""

    name: str
    needed: bool
    hint: str
    ask: Callable[[], object]
    # The question that is still open, so that a part that hangs is not asked again and again.
    asking: asyncio.Future[Dependency] | None = None


class ReadinessProbe:
    """The checks of one application, each with a thread of its own, so that none waits for another."""

    def __init__(self, checks: list[Check]) -> None:
        self._checks = checks
        self._threads = ThreadPoolExecutor(max_workers=len(checks), thread_name_prefix="readiness")

    @classmethod
    def of_parts(
        cls, *, database: Database, store: ObjectStore, queue: JobQueue, reader: Reader, settings: Settings
    ) -> Self:
        """The checks of the platform's own parts."""
        return cls(
            [
                Check("database", True, "Look at its log and its load.", lambda: _ask_database(database)),
                Check("object_store", True, "Look at its log and its load.", store.check),
                Check("home", False, "Look at the disk of MLMINI_HOME.", lambda: check_home(settings.scratch)),
                Check("reader", False, "Look at the log of the API.", reader.check),
                Check("redis", False, "Look at its log and its load. " + _REDIS, lambda: _ask_redis(queue)),
                Check("workers", False, _WORKERS, lambda: _ask_workers(queue, database)),
                *_check_of_grpc(settings),
            ]
        )

    async def look(self) -> dict[str, Dependency]:
        """The state of each part, after at most `TIMEOUT_SECONDS`."""
        found = await asyncio.gather(*(self._look(check) for check in self._checks))
        return {check.name: dependency for check, dependency in zip(self._checks, found, strict=True)}

    def close(self) -> None:
        """Stop asking."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look(self, check: Check) -> Dependency:
        if check.asking is None or check.asking.done():
            check.asking = asyncio.get_running_loop().run_in_executor(self._threads, _ask, check)
        await asyncio.wait({check.asking}, timeout=TIMEOUT_SECONDS)
        if check.asking.done():
            return check.asking.result()
        return _absent(check, f"It gave no answer within {TIMEOUT_SECONDS:g} s. {check.hint}")


def _check_of_grpc(settings: Settings) -> list[Check]:
    """The check of the port of gRPC, if there is one."""
    port = settings.grpc_port
    if port is None:
        return []
    hint = "Look at the log of the API. Requests over HTTP are answered without it."
    return [Check("grpc", False, hint, lambda: _ask_port(settings.host, port))]


def _ask(check: Check) -> Dependency:
    try:
        pools = check.ask()
    except _Missing as error:
        return _absent(check, str(error), pools=error.pools)
    except PlatformError as error:
        return _absent(check, str(error))
    except Exception as error:  # noqa: BLE001 - clients of the parts raise many kinds, and each means "no answer"
        return _absent(check, f"It does not answer ({type(error).__name__}). {check.hint}")
    return Dependency(state=DependencyState.OK, pools=_told(pools))


def _told(pools: object) -> list[str] | None:
    """The pools of workers, unless there is only the default one."""
    return sorted(pools) if isinstance(pools, set) and pools != {DEFAULT_POOL} else None


def _absent(check: Check, hint: str, *, pools: list[str] | None = None) -> Dependency:
    state = DependencyState.DOWN if check.needed else DependencyState.DEGRADED
    return Dependency(state=state, hint=hint, pools=pools)


class _Missing(Exception):
    """A part is missing, so that jobs wait. The sentence says what to do, `pools` which workers there still are."""

    def __init__(self, sentence: str, *, pools: list[str] | None = None) -> None:
        super().__init__(sentence)
        self.pools = pools


def _ask_database(database: Database) -> None:
    check_schema(database)
    check_intact(database, metadata.tables)


def _ask_port(host: str, port: int) -> None:
    # Connecting also works with a wildcard address such as 0.0.0.0.
    socket.create_connection((host, port), TIMEOUT_SECONDS).close()


def _ask_redis(queue: JobQueue) -> None:
    try:
        queue.ping()
    except redis.RedisError as error:
        raise _Missing(f"{redis_problem(error)} {_REDIS}") from None


def _ask_workers(queue: JobQueue, database: Database) -> set[str]:
    """The pools that workers take."""
    try:
        pools = queue.pools()
    except redis.RedisError:
        raise _Missing(f"Workers announce themselves through Redis, which does not answer. {_WORKERS}") from None
    if not pools:
        raise _Missing(f"No worker has announced itself lately. Start one with `python -m worker`. {_WORKERS}")
    # That the database is away is for its own check to tell.
    with suppress(DatabaseFailure), database.read() as session:
        waiting = {DEFAULT_POOL, *count_due_by_pool(session)} - pools
        if waiting:
            names = ", ".join(sorted(waiting))
            sentence = f"No worker takes jobs of these pools: {names}. Start one with MLMINI_POOLS. {_WORKERS}"
            raise _Missing(sentence, pools=sorted(pools))
    return pools
