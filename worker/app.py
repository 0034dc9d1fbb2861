"""The Celery application of a worker: its options, its tasks, and what is opened around them."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any
from uuid import UUID

from celery import Celery, bootsteps, signals
from celery.worker import state

from shared.fail_points import fail_point
from shared.jobs.states import Kind
from shared.logging import configure_logging
from shared.queue import create_celery
from shared.settings import Settings
from worker.process import Wish, WorkerProcess


def create_worker(settings: Settings, process: WorkerProcess) -> Celery:
    """Wire a worker up; nothing is opened before Celery starts its steps."""
    app = create_celery(settings)
    app.steps["worker"].add(_runtime_step(process))

    def run(job_id: str) -> str | None:
        fail_point("task.received")
        began = process.execute(UUID(job_id))
        # Flower shows it as the result of the task.
        return f"ran job {began}, whose turn it was" if began not in {None, UUID(job_id)} else None

    for kind in Kind:
        app.task(name=str(kind))(run)

    def log_as_the_platform_does(**_: Any) -> None:
        configure_logging(settings.log_level)

    signals.setup_logging.connect(log_as_the_platform_does, weak=False)
    return app


def _hear_signals(process: WorkerProcess) -> None:
    """Install the platform's signal handlers in place of those that Celery has installed.

    Celery's first SIGTERM waits for as long as tasks run, a second one changes nothing, and SIGQUIT waits just so for
    threads: only the platform can end an attempt and hand its job back.
    """

    def handler(wish: Wish) -> Callable[[int, FrameType | None], None]:
        def handle(_number: int, _frame: FrameType | None) -> None:
            process.ask_by_signal(wish)
            # Celery's loop reads this: it takes no more messages and stops its steps.
            state.should_stop = 0  # type: ignore[assignment]  # the stubs know its first value alone

        return handle

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler(Wish.STOP))
    signal.signal(signal.SIGQUIT, handler(Wish.HAND_BACK))


def _runtime_step(process: WorkerProcess) -> type[bootsteps.StartStopStep]:
    class RuntimeStep(bootsteps.StartStopStep):
        """Opens the runtime before the broker is reached, so that jobs are polled while Redis is away."""

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            """Called once, before the first connection to the broker."""
            del parent
            _hear_signals(process)
            process.start()

        def close(self, parent: Any) -> None:
            """Called first of all when the worker leaves, which another process may ask Celery for, too."""
            del parent
            process.ask(Wish.DRAIN)

        def stop(self, parent: Any) -> None:
            """Called when the worker leaves."""
            del parent
            process.stop()

    return RuntimeStep
