"""How soon a job is free of the worker that it was with, on an otherwise idle platform.

From kill -9 of a worker until its job runs again elsewhere: promised is the lease, plus the pause between two rescues,
plus 5 s. The reference is the lease itself, which was renewed at most one beat before the kill. And from the request to
cancel a running fit until the job is cancelled, when its process is gone: promised are 2 s.
"""

import argparse
import statistics
import time
from uuid import UUID

from sqlalchemy import func, select

from bench.measuring import print_table
from bench.sites import sites
from shared.jobs.acceptance import cancel
from shared.jobs.rows import JobEventRow
from shared.jobs.states import State
from tests.support.chaos.computations import ignore_signals, state_of
from tests.support.chaos.odd_worker import ENVIRONMENT, MODULE
from tests.support.server import running
from tests.support.servers import Valkey
from tests.support.site import SLOW, Site, site
from tests.support.waiting import eventually

# Workers say in their logs that they are ready.
TELLING = {"log_level": "INFO"}
# Longer than anybody waits.
ENDLESS = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 10_000}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--cancels", type=int, default=30, help="of each kind of fit")
    parser.add_argument("--lease", type=float, default=3)
    arguments = parser.parse_args()
    rows = [["what", "database", "times", "p50", "p99", "promised"]]
    fits = {"cancel of a fit": 42, "cancel of a fit that hears no signal": state_of(ignore_signals)}
    valkey = Valkey()
    with sites() as found, running(valkey):
        for name, settings in (("SQLite", found.sqlite), ("PostgreSQL", found.postgresql)):
            chosen = settings.model_copy(
                update={
                    "lease_seconds": arguments.lease,
                    "beat_seconds": arguments.lease / 6,
                    "rescue_seconds": arguments.lease / 6,
                    "worker_slots": 1,
                    **TELLING,
                }
            )
            with site(chosen, valkey, found.folder) as place:
                promised = arguments.lease + chosen.rescue_seconds + 5
                rows.append(["kill -9", name, *figures(kills(place, arguments.kills), promised)])
            # The beats of the default settings: a cancel does not wait for one.
            with site(settings.model_copy(update={"worker_slots": 1, **TELLING}), valkey, found.folder) as place:
                worker = place.launch_worker(MODULE, **ENVIRONMENT)
                eventually(lambda: worker.is_ready, timeout=60)  # noqa: B023 - called here and now
                for what, state in fits.items():
                    rows.append([what, name, *figures(cancels(place, arguments.cancels, state), promised=2)])
    print_table(f"Until a job is free of its worker, with leases of {arguments.lease:g} s", rows)


def figures(times: list[float], promised: float) -> list[str]:
    """The columns of one row."""
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return [str(len(times)), f"{p50:.2f} s", f"{p99:.2f} s", f"{promised:g} s"]


def cancels(place: Site, count: int, state: int) -> list[float]:
    """Seconds for each cancel, by the clock of the database."""
    times = []
    for _ in range(count):
        job_id = place.train(ENDLESS, example="breast_cancer", random_state=state)
        place.until_fitting(job_id)
        with place.database.write() as session:
            cancel(session, job_id)
        job = place.until(job_id, State.CANCELLED)
        assert job.finished_at is not None
        assert job.cancel_requested_at is not None
        times.append((job.finished_at - job.cancel_requested_at).total_seconds())
    return times


def kills(place: Site, count: int) -> list[float]:
    """Seconds for each kill; two workers are there each time, so that one is free."""
    times = []
    workers = {worker.process.pid: worker for worker in (place.start_worker(), place.start_worker())}
    for _ in range(count):
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
