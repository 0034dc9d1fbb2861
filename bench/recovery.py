"""From kill -9 of a worker until the job that it ran runs again elsewhere, on an otherwise idle platform.

What is promised is the lease, plus the pause between two rescues, plus 5 s. The reference is the lease itself: it was
renewed at most one beat before the kill.
"""

import argparse
import statistics
import time
from uuid import UUID

from sqlalchemy import func, select

from bench.measuring import print_table
from bench.sites import sites
from shared.jobs.rows import JobEventRow
from shared.jobs.states import State
from tests.support.server import running
from tests.support.servers import Valkey
from tests.support.site import SLOW, Site, site
from tests.support.waiting import eventually


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--lease", type=float, default=3)
    arguments = parser.parse_args()
    rows = [["database", "kills", "p50", "p99", "lease", "promised"]]
    valkey = Valkey()
    with sites() as found, running(valkey):
        for name, settings in (("SQLite", found.sqlite), ("PostgreSQL", found.postgresql)):
            chosen = settings.model_copy(
                update={
                    "lease_seconds": arguments.lease,
                    "beat_seconds": arguments.lease / 6,
                    "rescue_seconds": arguments.lease / 6,
                    "worker_slots": 1,
                }
            )
            with site(chosen, valkey, found.folder) as place:
                times = measure(place, arguments.kills)
            promised = arguments.lease + chosen.rescue_seconds + 5
            rows.append(
                [
                    name,
                    str(len(times)),
                    f"{statistics.median(times):.2f} s",
                    f"{statistics.quantiles(times, n=100)[98]:.2f} s",
                    f"{arguments.lease:g} s",
                    f"{promised:g} s",
                ]
            )
    print_table("kill -9 of a worker until its job runs again", rows)


def measure(place: Site, kills: int) -> list[float]:
    """Seconds for each kill; two workers are there each time, so that one is free."""
    times = []
    workers = {worker.process.pid: worker for worker in (place.start_worker(), place.start_worker())}
    for _ in range(kills):
        job_id = place.train(SLOW, example="breast_cancer")
        job = place.until_fitting(job_id)
        victim = workers.pop(process_of(job.worker))
        # All parts share the clock of this machine, also the database that writes the events.
        killed_at = time.time()
        victim.kill()
        eventually(lambda: claims(place, job_id) == 2, timeout=60)  # noqa: B023 - it is done before the next job comes
        with place.database.read() as session:
            query = select(JobEventRow.at).where(JobEventRow.job_id == job_id, JobEventRow.to_state == State.RUNNING)
            again_at = max(session.scalars(query))
        times.append(again_at.timestamp() - killed_at)
        place.until(job_id, State.SUCCEEDED)
        fresh = place.start_worker()
        workers[fresh.process.pid] = fresh
    return times


def claims(place: Site, job_id: UUID) -> int:
    """How often the job was begun."""
    with place.database.read() as session:
        query = select(func.count()).where(JobEventRow.job_id == job_id, JobEventRow.to_state == State.RUNNING)
        return session.scalar(query) or 0


def process_of(worker: str | None) -> int:
    """The process id in a worker's name."""
    assert worker is not None
    return int(worker.rsplit("-", 2)[1])


if __name__ == "__main__":
    main()
