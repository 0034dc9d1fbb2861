"""A plain Celery worker with the platform's options, whose tasks do nothing but note when they ran.

`python -m bench.celery_worker FILE` appends to FILE, for each task, how many seconds after its sending it ran.
"""

import sys
import time
from pathlib import Path

from shared.queue import create_celery
from shared.settings import load_settings

TASK = "nothing"


def main() -> None:
    """Run it with as many threads as the platform's worker has slots."""
    settings = load_settings()
    app = create_celery(settings)
    with Path(sys.argv[1]).open("a", buffering=1) as notes:

        def nothing(sent_at: float) -> None:
            now = time.time()
            notes.write(f"{now} {now - sent_at}\n")

        app.task(name=TASK)(nothing)
        app.worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={settings.worker_slots}",
                "--without-gossip",
                "--without-mingle",
                "--task-events",
                "--loglevel=WARNING",
            ]
        )


if __name__ == "__main__":
    main()
