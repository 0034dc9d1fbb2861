"""Whether the parts that the platform needs answer, found out without ever hanging."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from sqlalchemy import text

from api.schemas.health import Dependency, DependencyState
from shared.database import Database
from shared.errors import PlatformError
from shared.object_store import ObjectStore
from shared.queue import JobQueue

TIMEOUT_SECONDS = 2.0


@dataclass
class Check:
    """How to ask one part, and what to tell when it does not answer."""

    name: str
    needed: bool
    hint: str
    ask: Callable[[], None]
    # The question that is still open: a part that hangs is not asked again and again.
    asking: asyncio.Future[Dependency] | None = None


class Readiness:
    """The checks of one application; each has a thread of its own, so that none waits for another."""

    def __init__(self, checks: list[Check]) -> None:
        self._checks = checks
        self._threads = ThreadPoolExecutor(max_workers=len(checks), thread_name_prefix="readiness")

    @classmethod
    def of(cls, *, database: Database, store: ObjectStore, queue: JobQueue) -> Self:
        """The checks of the parts that the platform is made of."""
        return cls(
            [
                Check(
                    "database", True, "Start the database, or set MLMINI_DATABASE_URL.", lambda: _ask_database(database)
                ),
                Check("object_store", True, "Start the object store, or look at the settings of it.", store.check),
                Check("redis", False, "Start Redis or Valkey; jobs are accepted and found without it.", queue.ping),
                Check("workers", False, "Start a worker; jobs are accepted and wait.", lambda: _ask_workers(queue)),
            ]
        )

    async def look(self) -> dict[str, Dependency]:
        """The state of each part, at the latest after `TIMEOUT_SECONDS`."""
        found = await asyncio.gather(*(self._look(check) for check in self._checks))
        return {check.name: dependency for check, dependency in zip(self._checks, found, strict=True)}

    def close(self) -> None:
        """Ask nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look(self, check: Check) -> Dependency:
        if check.asking is None or check.asking.done():
            check.asking = asyncio.get_running_loop().run_in_executor(self._threads, _ask, check)
        await asyncio.wait({check.asking}, timeout=TIMEOUT_SECONDS)
        if check.asking.done():
            return check.asking.result()
        return _absent(check, f"It gave no answer within {TIMEOUT_SECONDS:g} s.")


def _ask(check: Check) -> Dependency:
    try:
        check.ask()
    except (PlatformError, _NoWorker) as error:
        return _absent(check, str(error))
    except Exception as error:  # noqa: BLE001 - clients of the parts raise many kinds, and each means "no answer"
        return _absent(check, f"It does not answer ({type(error).__name__}).")
    return Dependency(state=DependencyState.OK)


def _absent(check: Check, reason: str) -> Dependency:
    state = DependencyState.DOWN if check.needed else DependencyState.DEGRADED
    return Dependency(state=state, hint=f"{reason} {check.hint}")


def _ask_database(database: Database) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1"))


class _NoWorker(Exception):
    pass


def _ask_workers(queue: JobQueue) -> None:
    if not queue.workers():
        raise _NoWorker("No worker has announced itself lately.")
