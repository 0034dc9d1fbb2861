"""Tells by its exit status whether the worker of this machine is alive: `python -m worker.health`.

It is what containers are checked with. A container is a machine of its own, so there is one worker to ask for.
"""

import socket
import sys

import redis

from shared.queue import JobQueue
from shared.settings import load_settings


def main() -> None:
    """End with status 1 when the worker has not announced itself lately; without Redis nobody can know, and it is 0."""
    queue = JobQueue(load_settings())
    try:
        names = queue.workers()
    except redis.RedisError:
        # Workers find jobs without Redis, so a missing Redis is not a reason to restart them.
        return
    finally:
        queue.close()
    if not any(name.startswith(f"{socket.gethostname()}-") for name in names):
        sys.exit("The worker of this machine has not announced itself lately. Its log says why.")


if __name__ == "__main__":
    main()
