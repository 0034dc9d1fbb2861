"""The thread of every worker that tidies up what time and failures leave behind.

Any number of workers may do it at the same moment: each step takes what it finds by a guarded statement, and what one
worker has removed the others do not find.
"""

import random
import threading
from collections.abc import Callable

from shared.accounts.ended_logins import ended_logins, forget_logins
from shared.datasets.unfinished import clean_stale_uploads, forget_empty_datasets
from shared.discarded import remove_discarded
from shared.errors import Unavailable
from shared.jobs import expiry
from shared.logging import get_logger
from shared.object_store.shelves import Shelf, bucket_of
from shared.registry.orphan_collector import OrphanCollector
from shared.registry.outputs import old_outputs, retire_outputs
from shared.registry.references import is_ours
from shared.scratch import sweep_scratch
from worker.runtime import Runtime

log = get_logger(__name__)

# A random part of the interval, so that many workers do not come at once. A new worker waits shorter.
_FIRST = (0.1, 0.2)
_NEXT = (0.75, 1.25)


class Janitor:
    """What is to be tidied up; each round does all of it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.thread = threading.Thread(target=self._run, name="janitor", daemon=True)

    def tidy(self) -> dict[str, int]:
        """Do one round and tell what was done. A step that a part of the platform keeps from its work is left out."""
        done: dict[str, int] = {}
        for step in self._steps:
            if self._runtime.stopping.is_set():
                break
            try:
                done |= step()
            except Unavailable as error:
                log.info("janitor_skipped", step=step.__name__.strip("_"), error=error.code)
            except Exception:
                # An error in one step must not stop the other steps.
                log.exception("janitor_failed", step=step.__name__.strip("_"))
        log.info("janitor_done", **done)
        return done

    @property
    def _steps(self) -> tuple[Callable[[], dict[str, int]], ...]:
        return (
            self._keys,
            self._logs,
            self._logins,
            self._uploads,
            self._outputs,
            self._discarded,
            self._orphans,
            self._unfinished,
            self._scratch,
        )

    def _run(self) -> None:
        share = _FIRST
        while not self._runtime.stopping.wait(
            self._runtime.settings.janitor_seconds * random.uniform(*share)  # noqa: S311 - no secret depends on it
        ):
            self.tidy()
            share = _NEXT

    def _keys(self) -> dict[str, int]:
        database = self._runtime.database

        def forget_some() -> int:
            with database.read() as session:
                keys = expiry.expired_keys(session)
            if not keys:
                return 0
            with database.write() as session:
                return expiry.forget_keys(session, keys)

        return {"keys": self._all_of(forget_some)}

    def _logs(self) -> dict[str, int]:
        database, keep_days = self._runtime.database, self._runtime.settings.keep_log_days

        def forget_some() -> int:
            with database.read() as session:
                jobs = expiry.old_logs(session, keep_days=keep_days)
            if not jobs:
                return 0
            with database.write() as session:
                return expiry.forget_logs(session, jobs)

        return {"logs": self._all_of(forget_some)}

    def _logins(self) -> dict[str, int]:
        database = self._runtime.database

        def forget_some() -> int:
            with database.read() as session:
                logins = ended_logins(session)
            if not logins:
                return 0
            with database.write() as session:
                return forget_logins(session, logins)

        return {"logins": self._all_of(forget_some)}

    def _uploads(self) -> dict[str, int]:
        runtime = self._runtime
        stale = clean_stale_uploads(runtime.database, runtime.store, runtime.settings)
        return {"uploads": stale, "datasets": forget_empty_datasets(runtime.database)}

    def _outputs(self) -> dict[str, int]:
        database, keep_days = self._runtime.database, self._runtime.settings.keep_prediction_days

        def remove_some() -> int:
            with database.read() as session:
                found = old_outputs(session, keep_days=keep_days)
            if not found:
                return 0
            with database.write() as session:
                return retire_outputs(session, found)

        return {"outputs": self._all_of(remove_some)}

    def _discarded(self) -> dict[str, int]:
        runtime = self._runtime
        stopping = runtime.stopping.is_set
        return {"discarded": remove_discarded(runtime.database, runtime.store, runtime.settings, stopping=stopping)}

    def _orphans(self) -> dict[str, int]:
        runtime = self._runtime
        found = OrphanCollector(runtime.database, runtime.store, runtime.settings, runtime.stopping.is_set).collect()
        return {"orphans": found.orphans, "orphans_deleted": found.deleted, "foreign": found.foreign}

    def _unfinished(self) -> dict[str, int]:
        if self._runtime.settings.collect != "delete":
            return {}
        settings = self._runtime.settings

        def is_of_the_platform(bucket: str, key: str) -> bool:
            return any(bucket == bucket_of(shelf, settings) and is_ours(shelf, key) for shelf in Shelf)

        grace_seconds = settings.orphan_hours * 3600
        aborted = self._runtime.store.abort_stale(older_than_seconds=grace_seconds, is_ours=is_of_the_platform)
        return {"unfinished": aborted}

    def _scratch(self) -> dict[str, int]:
        return {"scratch": sweep_scratch(self._runtime.settings.scratch)}

    def _all_of(self, some: Callable[[], int]) -> int:
        """Repeat a step that does a part of the work until it finds nothing more."""
        total = 0
        while not self._runtime.stopping.is_set() and (count := some()):
            total += count
        return total
