"""Starts one worker: `python -m worker`."""

import os
import sys

from shared.errors import WrongSettings
from shared.home import PRIVATE
from shared.settings import load_settings
from worker.app import create_worker
from worker.process import WorkerProcess


def main() -> None:
    """Run Celery's threads pool, whose tasks only supervise, with as many threads as there are slots."""
    os.umask(PRIVATE)
    try:
        settings = load_settings()
        process = WorkerProcess(settings)
        worker = create_worker(settings, process)
    except WrongSettings as error:
        sys.exit(f"The worker cannot start: {error}")
    try:
        worker.worker_main(
            [
                "worker",
                # Workers of one host, and of platforms that share a Redis, are different workers in Flower.
                f"--hostname=worker-{os.getpid()}@%h",
                "--pool=threads",
                f"--concurrency={settings.worker_slots}",
                "--without-gossip",
                "--without-mingle",
                "--task-events",
                f"--loglevel={settings.log_level}",
            ]
        )
    finally:
        # Celery swallows the exit status of a start that failed.
        if process.refused:
            sys.exit(1)


if __name__ == "__main__":
    main()
