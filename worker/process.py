"""This worker process: one runtime and its upkeep, from start to stop."""

from uuid import UUID

from shared.settings import Settings
from worker.execution import execute
from worker.runtime import Runtime
from worker.upkeep import Upkeep


class WorkerProcess:
    """What Celery's steps, signals and tasks act on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runtime: Runtime | None = None
        self._upkeep: Upkeep | None = None

    def start(self) -> None:
        """Open the runtime and start the upkeep."""
        self._runtime = Runtime(self._settings)
        self._upkeep = Upkeep(self._runtime)
        self._upkeep.start()

    def ask_to_stop(self) -> None:
        """Have running attempts stop and their jobs go back to the queue; returns at once."""
        if self._runtime is not None:
            self._runtime.stopping.set()

    def stop(self) -> None:
        """Wait for the attempts to end, then close everything."""
        self.ask_to_stop()
        if self._runtime is not None and self._upkeep is not None:
            self._upkeep.join()
            self._runtime.drain()
            self._runtime.close()

    def execute(self, job_id: UUID) -> None:
        """Run one job, if it is still to be done."""
        if self._runtime is not None:
            execute(self._runtime, job_id)
