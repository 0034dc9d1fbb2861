"""Starts one worker: `python -m worker`."""

import os
import sys

from shared.errors import WrongSettings
from shared.home import PRIVATE
from shared.queue import queue_name
from shared.settings import load_settings
from shared.training.cluster.address import check_cluster
from worker.app import create_worker
from worker.process import WorkerProcess


def main() -> None:
    """Run Celery's threads pool, whose tasks only supervise, with as many threads as there are slots."""
    os.umask(PRIVATE)
    try:
        settings = load_settings()
        check_cluster(settings)
        process = WorkerProcess(settings)
        worker = create_worker(settings, process)
    except WrongSettings as error:
        sys.exit(f"The worker cannot start: {error}")
    try:
        worker.worker_main(
            [
                "worker",
                # Each worker has a name of its own, so that Flower shows all workers of one host, and of one Redis.
                f"--hostname=worker-{os.getpid()}@%h",
                "--pool=threads",
                # A list of messages for each pool; the claim looks at the pool, too.
                f"--queues={','.join(map(queue_name, settings.pools))}",
                f"--concurrency={settings.worker_slots}",
                "--without-gossip",
                "--without-mingle",
                "--task-events",
                f"--loglevel={settings.log_level}",
            ]
        )
    finally:
        # Celery hides the exit status of a failed start.
        if process.refused:
            sys.exit(1)


if __name__ == "__main__":
    main()
