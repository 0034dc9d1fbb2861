"""The Celery application of a worker: its options, its tasks, and what is opened around them."""

from typing import Any
from uuid import UUID

from celery import Celery, bootsteps, signals

from shared.fail_points import fail_point
from shared.jobs.states import Kind
from shared.logging import configure_logging
from shared.queue import create_celery
from shared.settings import Settings
from worker.process import WorkerProcess


def create_worker(settings: Settings, process: WorkerProcess) -> Celery:
    """Wire a worker up; nothing is opened before Celery starts its steps."""
    app = create_celery(settings)
    app.steps["worker"].add(_runtime_step(process))

    def run(job_id: str) -> None:
        fail_point("task.received")
        process.execute(UUID(job_id))

    for kind in Kind:
        app.task(name=str(kind))(run)

    def stop_attempts(**_: Any) -> None:
        # Celery waits for running tasks before it stops its steps, and a task runs as long as its job.
        process.ask_to_stop()

    def log_as_the_platform_does(**_: Any) -> None:
        configure_logging(settings.log_level)

    signals.worker_shutting_down.connect(stop_attempts, weak=False)
    signals.setup_logging.connect(log_as_the_platform_does, weak=False)
    return app


def _runtime_step(process: WorkerProcess) -> type[bootsteps.StartStopStep]:
    class RuntimeStep(bootsteps.StartStopStep):
        """Opens the runtime before the broker is reached, so that jobs are polled while Redis is away."""

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            """Called once, before the first connection to the broker."""
            del parent
            process.start()

        def stop(self, parent: Any) -> None:
            """Called when the worker leaves."""
            del parent
            process.stop()

    return RuntimeStep
