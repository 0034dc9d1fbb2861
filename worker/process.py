"""This worker process: one runtime and its upkeep, from start to stop."""

import os
import sys
import threading
import time
from enum import Enum, auto
from queue import SimpleQueue
from typing import NoReturn
from uuid import UUID

from shared.errors import Unavailable, WrongSettings
from shared.estimators.libraries.installed import installed_releases
from shared.logging import get_logger
from shared.machine import this_machine
from shared.sandbox import LimitTooLow, address_space_limit
from shared.sandbox.isolation import Isolation
from shared.settings import Settings
from worker.execution import execute
from worker.own_estimators import describe_in_background
from worker.runtime import Runtime
from worker.upkeep import Upkeep

log = get_logger(__name__)
_RETRY_SECONDS = 1


class Wish(Enum):
    """How a worker is asked to stop."""

    # Take no new job, and let running jobs end within the grace time.
    DRAIN = auto()
    # The same. When it comes a second time, the grace time is over.
    STOP = auto()
    # Stop running attempts; their jobs go back to the queue.
    HAND_BACK = auto()


class WorkerProcess:
    """What Celery's steps, signals and tasks act on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # True when the start failed and will fail again; the log says why.
        self.refused = False
        # A queue that takes no lock: a signal handler runs in the middle of anything.
        self._wishes: SimpleQueue[Wish] = SimpleQueue()
        self._runtime: Runtime | None = None
        self._upkeep: Upkeep | None = None

    def start(self) -> None:
        """Open the runtime, as soon as that is possible, and start the upkeep.

        Raises:
            SystemExit: when it never will be.
        """
        try:
            self._runtime = open_runtime(self._settings)
        except WrongSettings as error:
            self._refuse(error.code, error.detail)
        self._check_limits(self._runtime)
        self._tell_of_slots()
        self._tell_of_isolation()
        log.info("libraries_found", **installed_releases())
        self._upkeep = Upkeep(self._runtime)
        self._upkeep.start()
        describe_in_background(self._runtime)
        threading.Thread(target=self._follow_wishes, args=(self._runtime,), name="wishes", daemon=True).start()

    def ask(self, wish: Wish) -> None:
        """Have the worker stop; returns at once."""
        self._wishes.put(wish)

    def ask_by_signal(self, wish: Wish) -> None:
        """The same, for the handler of a signal. A worker that is still starting ends here.

        Its start may wait for long, and an exception that a handler raises gets lost in finalizers, or turns into
        another one. It leaves no more behind than a killed worker does, which the next start clears away.
        """
        if self._runtime is None:
            os._exit(0)
        self.ask(wish)

    def stop(self) -> None:
        """Drain to the end, then close everything."""
        if self._runtime is not None and self._upkeep is not None:
            self.ask(Wish.DRAIN)
            self._upkeep.join()
            self._runtime.close()

    def _follow_wishes(self, runtime: Runtime) -> None:
        stops = 0
        while True:
            wish = self._wishes.get()
            stops += wish is Wish.STOP
            runtime.draining.set()
            if wish is Wish.HAND_BACK or stops > 1:
                runtime.stopping.set()

    def _refuse(self, code: str, detail: str) -> NoReturn:
        log.critical("start_refused", code=code, detail=detail)
        self.refused = True
        sys.exit(1)

    def _check_limits(self, runtime: Runtime) -> None:
        """Where the system limits memory, see that computations can start at all, and tell what they get."""
        if address_space_limit() is None:
            return
        try:
            runtime.sandbox.start()
        except LimitTooLow as error:
            runtime.close()
            self._refuse(WrongSettings.code, str(error))
        room_mb = runtime.sandbox.room_mb
        if room_mb is not None and room_mb < self._settings.job_memory_mb:
            log.warning("memory_limited", by="ulimit -v", room_mb=room_mb, job_memory_mb=self._settings.job_memory_mb)

    @staticmethod
    def _tell_of_isolation() -> None:
        if missing := Isolation.possible().missing:
            log.warning("computations_not_isolated", reach=missing)

    def _tell_of_slots(self) -> None:
        settings, machine = self._settings, this_machine()
        log.info(
            "slots_chosen",
            slots=settings.worker_slots,
            by="MLMINI_WORKER_SLOTS" if "worker_slots" in settings.model_fields_set else "cores and memory",
            **machine._asdict(),
            job_memory_mb=settings.job_memory_mb,
            pools=settings.pools,
        )

    def execute(self, job_id: UUID) -> UUID | None:
        """Run one job that is to be done, and return its id: the one of the call, or one whose turn is before it."""
        return None if self._runtime is None else execute(self._runtime, job_id)


def open_runtime(settings: Settings) -> Runtime:
    """The runtime, as soon as the database and the object store answer.

    A worker that ended instead would have to be started again by somebody, each time that a part restarts.

    Raises:
        WrongSettings: when waiting does not help.
    """
    told = ""
    while True:
        try:
            return Runtime(settings)
        except Unavailable as error:
            if error.detail != told:
                log.warning("start_waits", code=error.code, detail=error.detail)
            told = error.detail
        time.sleep(_RETRY_SECONDS)
