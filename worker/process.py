"""This worker process: one runtime and its upkeep, from start to stop."""

import sys
import threading
from uuid import UUID

from shared.errors import WrongSettings
from shared.logging import get_logger
from shared.machine import this_machine
from shared.settings import Settings
from worker.execution import execute
from worker.runtime import Runtime
from worker.starting import open_runtime
from worker.upkeep import Upkeep

log = get_logger(__name__)


class WorkerProcess:
    """What Celery's steps, signals and tasks act on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Set when the start failed for good; the log says why.
        self.refused = False
        # Beside the exception of `drain`, which is lost where it meets a finalizer.
        self._stopping = threading.Event()
        self._runtime: Runtime | None = None
        self._upkeep: Upkeep | None = None

    def start(self) -> None:
        """Open the runtime, as soon as that is possible, and start the upkeep.

        Raises:
            SystemExit: when it never will be.
        """
        try:
            self._runtime = open_runtime(self._settings, self._stopping)
        except WrongSettings as error:
            log.critical("start_refused", code=error.code, detail=error.detail)
            self.refused = True
            sys.exit(1)
        self._tell_of_slots()
        self._upkeep = Upkeep(self._runtime)
        self._upkeep.start()

    def drain(self) -> None:
        """Take no job any more, and let those that run end within the grace time; returns at once.

        Raises:
            SystemExit: when the runtime is not open yet; this ends the wait for it, in whose midst the signal came.
        """
        self._stopping.set()
        if self._runtime is None:
            sys.exit(0)
        self._runtime.draining.set()

    def hand_back(self) -> None:
        """Have running attempts stop and their jobs go back to the queue; returns at once.

        Raises:
            SystemExit: as `drain`.
        """
        self.drain()
        if self._runtime is not None:
            self._runtime.stopping.set()

    def ask_to_stop(self) -> None:
        """Drain; asked again, end the grace time.

        Raises:
            SystemExit: as `drain`.
        """
        if self._stopping.is_set():
            self.hand_back()
        else:
            self.drain()

    def stop(self) -> None:
        """Drain to the end, then close everything."""
        if self._runtime is not None and self._upkeep is not None:
            self._runtime.draining.set()
            self._upkeep.join()
            self._runtime.close()

    def _tell_of_slots(self) -> None:
        settings, machine = self._settings, this_machine()
        log.info(
            "slots_chosen",
            slots=settings.worker_slots,
            by="MLMINI_WORKER_SLOTS" if "worker_slots" in settings.model_fields_set else "cores and memory",
            **machine._asdict(),
            job_memory_mb=settings.job_memory_mb,
        )

    def execute(self, job_id: UUID) -> None:
        """Run one job, if it is still to be done."""
        if self._runtime is not None:
            execute(self._runtime, job_id)
