"""Starts one worker: `python -m worker`."""

import os
import sys

from shared.errors import WrongSettings
from shared.settings import load_settings
from worker.app import create_worker


def main() -> None:
    """Run Celery's threads pool, whose tasks only supervise, with as many threads as there are slots."""
    try:
        settings = load_settings()
    except WrongSettings as error:
        sys.exit(f"The worker cannot start: {error}")
    create_worker(settings).worker_main(
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


if __name__ == "__main__":
    main()
