"""What durable jobs cost: a kind that does nothing beside Celery tasks that do nothing, and the lightest training.

Both run in one worker process with the same broker, pool, slots and events. Ours commits a claim and an end for each
job and survives every fault in between; Celery's message is gone once a worker has it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from bench.celery_worker import TASK
from bench.measuring import milliseconds, print_table
from bench.sites import sites
from shared.database import Database
from shared.datasets.examples import ensure_example
from shared.jobs.acceptance import accept
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.object_store import open_store
from shared.queue import JobQueue, create_celery
from shared.settings import Settings
from shared.tables.reader import Reader
from tests.support.jobs import ring
from tests.support.site import environment_of, version_id

NOTHING: dict[str, Any] = {
    "kind": Kind.PROMOTE,
    "request": {"dataset_name": "none", "version": 1, "target_stage": "staging"},
    "dataset_name": "none",
    "dataset_version_id": None,
}
# What all others are compared with.
REFERENCE = "Celery, nothing"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000, help="that do nothing, in each drain")
    parser.add_argument("--trainings", type=int, default=60, help="in each drain")
    parser.add_argument("--idle", type=int, default=200, help="single jobs, one after another")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    drains: dict[str, list[float]] = {}
    idles: dict[str, list[float]] = {}

    def measure(name: str, target: "Ours | Plain", count: int) -> None:
        drains.setdefault(name, []).append(target.drain(count))
        idles.setdefault(name, []).extend(target.idle(arguments.idle))
        target.close()

    with sites() as found:
        databases = {"SQLite": found.sqlite, "PostgreSQL": found.postgresql}
        lightest = {name: lightest_training(settings) for name, settings in databases.items()}
        for _ in range(arguments.rounds):
            measure(REFERENCE, Plain(found.sqlite, found.folder), arguments.jobs)
            for name, settings in databases.items():
                measure(f"ours on {name}, nothing", Ours(settings, NOTHING), arguments.jobs)
                measure(f"ours on {name}, DummyClassifier", Ours(settings, lightest[name]), arguments.trainings)
    print_table(f"Jobs on one worker, {arguments.rounds} rounds in turns", table(drains, idles))


def table(drains: dict[str, list[float]], idles: dict[str, list[float]]) -> list[list[str]]:
    """One row for each target."""
    rate = statistics.median(drains[REFERENCE])
    waited = statistics.median(idles[REFERENCE])
    rows = [["target", "drained/s", "share of Celery", "idle p50", "idle p99", "more than Celery (p50)"]]
    for name, rates in drains.items():
        drained, times = statistics.median(rates), idles[name]
        p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        share, more = f"{drained / rate:.0%}", milliseconds(p50 - waited)
        rows.append([name, f"{drained:.0f}", share, milliseconds(p50), milliseconds(p99), more])
    return rows


def lightest_training(settings: Settings) -> dict[str, Any]:
    """What `accept` needs for the training that costs least, on an example that it catalogues."""
    database, store, reader = Database(settings.sqlalchemy_url), open_store(settings), Reader(settings)
    name, number = ensure_example("iris", database=database, store=store, reader=reader, settings=settings)
    with database.read() as session:
        version = version_id(session, name, number)
    for part in (reader, store, database):
        part.close()
    request = {
        "dataset_name": name,
        "dataset_version": number,
        "model": {"module": "dummy", "class": "DummyClassifier", "params": {}},
        "target_column": "target",
    }
    return {"kind": Kind.TRAIN, "request": request, "dataset_name": name, "dataset_version_id": version}


class Ours:
    """The platform's protocol on one database."""

    def __init__(self, settings: Settings, job: dict[str, Any]) -> None:
        """`job` is what `accept` needs of each job."""
        self._settings = settings
        self._job = job
        self._database = Database(settings.sqlalchemy_url)
        self._queue = JobQueue(settings)

    def drain(self, count: int) -> float:
        """Jobs per second, from the first start to the last end; all are accepted before the worker starts."""
        before = self._ended()
        jobs = [self._accept() for _ in range(count)]
        for job_id in jobs:
            ring(self._queue, job_id, self._job["kind"])
        with worker([sys.executable, "-m", "bench.noop_worker"], self._settings):
            until(lambda: self._ended() == before + count)
        with self._database.read() as session:
            query = select(func.min(JobRow.started_at), func.max(JobRow.finished_at)).where(JobRow.id.in_(jobs))
            first, last = session.execute(query).one()
        assert first is not None
        assert last is not None
        return count / (last - first).total_seconds()

    def idle(self, count: int) -> list[float]:
        """Seconds from before the acceptance until the end can be read, for single jobs on an idle worker."""
        times = []
        with worker([sys.executable, "-m", "bench.noop_worker"], self._settings):
            # It says so once its fork server has imported everything.
            until(lambda: len(self._queue.workers()) == 1)
            self._one()
            for _ in range(count):
                time.sleep(0.02)
                times.append(self._one())
        return times

    def close(self) -> None:
        """Give connections back."""
        self._queue.close()
        self._database.close()

    def _one(self) -> float:
        started = time.perf_counter()
        job_id = self._accept()
        ring(self._queue, job_id, self._job["kind"])
        until(lambda: self._has_ended(job_id))
        return time.perf_counter() - started

    def _accept(self) -> UUID:
        with self._database.write() as session:
            return accept(session, **self._job).id

    def _ended(self) -> int:
        with self._database.read() as session:
            return session.scalar(select(func.count()).where(JobRow.status == State.SUCCEEDED)) or 0

    def _has_ended(self, job_id: UUID) -> bool:
        with self._database.read() as session:
            return session.scalar(select(JobRow.status).where(JobRow.id == job_id)) == State.SUCCEEDED


class Plain:
    """Celery alone."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._notes = folder / "celery-notes"
        self._celery = create_celery(settings)

    def drain(self, count: int) -> float:
        """Tasks per second, from the first to the last; all are sent before the worker starts."""
        for _ in range(count):
            self._celery.send_task(TASK, args=[time.time()])
        times = [ran_at for ran_at, _ in self._run(count, lambda: None)]
        return count / (max(times) - min(times))

    def idle(self, count: int) -> list[float]:
        """Seconds from before the sending until the task runs, for single tasks on an idle worker."""

        def send() -> None:
            for number in range(count + 1):
                self._celery.send_task(TASK, args=[time.time()])
                until(lambda: len(self._lines()) > number)  # noqa: B023 - it is done before the next number comes
                time.sleep(0.02)

        return [waited for _, waited in self._run(count + 1, send)][1:]

    def close(self) -> None:
        """Give connections back."""
        self._celery.close()

    def _run(self, count: int, send: Callable[[], None]) -> list[tuple[float, float]]:
        self._notes.unlink(missing_ok=True)
        with worker([sys.executable, "-m", "bench.celery_worker", str(self._notes)], self._settings):
            send()
            until(lambda: len(self._lines()) == count)
        return [(float(ran_at), float(waited)) for ran_at, waited in (line.split() for line in self._lines())]

    def _lines(self) -> list[str]:
        return self._notes.read_text().splitlines() if self._notes.exists() else []


@contextmanager
def worker(command: list[str], settings: Settings) -> Iterator[None]:
    """A worker process for the block."""
    process = subprocess.Popen(command, env=os.environ | environment_of(settings), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def until(is_so: Callable[[], bool]) -> None:
    """Return once it is so, noticed within a millisecond."""
    deadline = time.monotonic() + 300
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("nothing happened for five minutes")
        time.sleep(0.001)


if __name__ == "__main__":
    main()
