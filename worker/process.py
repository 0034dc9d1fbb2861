"""This worker process: one runtime and its upkeep, from start to stop."""

import sys
import threading
from uuid import UUID

from shared.errors import WrongSettings
from shared.logging import get_logger
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
        # Beside the exception of `ask_to_stop`, which is lost where it meets a finalizer.
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
        self._upkeep = Upkeep(self._runtime)
        self._upkeep.start()

    def ask_to_stop(self) -> None:
        """Have running attempts stop and their jobs go back to the queue; returns at once.

        Raises:
            SystemExit: when the runtime is not open yet; this ends the wait for it, in whose midst the signal came.
        """
        self._stopping.set()
        if self._runtime is None:
            sys.exit(0)
        self._runtime.stopping.set()

    def stop(self) -> None:
        """Wait for the attempts to end, then close everything."""
        if self._runtime is not None and self._upkeep is not None:
            self._runtime.stopping.set()
            self._upkeep.join()
            self._runtime.drain()
            self._runtime.close()

    def execute(self, job_id: UUID) -> None:
        """Run one job, if it is still to be done."""
        if self._runtime is not None:
            execute(self._runtime, job_id)
