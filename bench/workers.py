"""What more workers and more cores gain: equal trainings on 1, 2 and 4 workers, and one training with 1 and 2 cores.

Each worker runs one job at a time. A batch takes from the start of its first job to the end of its last one.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from bench.jobs import until, worker
from bench.measuring import print_table
from bench.sites import sites
from shared.database import Database
from shared.datasets.examples import ensure_example
from shared.jobs.acceptance import accept
from shared.jobs.limits import RequestedLimits
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.object_store import open_store
from shared.queue import JobQueue
from shared.settings import Settings
from shared.tables.reader import Reader
from tests.support.jobs import ring
from tests.support.site import version_id

FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 600}}
ALONE = {
    "RandomForestClassifier": FOREST,
    "HistGradientBoostingClassifier": {
        "module": "ensemble",
        "class": "HistGradientBoostingClassifier",
        "params": {"max_iter": 400},
    },
    "LogisticRegression": {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 20_000}},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=12, help="in each batch")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    batches: dict[int, list[float]] = {}
    cores: dict[tuple[str, int], list[float]] = {}
    with sites() as found:
        settings = found.sqlite.model_copy(update={"worker_slots": 1, "folds": 0, "job_cpus": 64})
        queue = Trainings(settings)
        for _ in range(arguments.rounds):
            for workers in (1, 2, 4):
                with running(queue, workers):
                    batches.setdefault(workers, []).append(queue.seconds([FOREST] * arguments.jobs, cpus=1))
            with running(queue, 1):
                for name, model in ALONE.items():
                    for cpus in (1, 2):
                        cores.setdefault((name, cpus), []).append(queue.seconds([model], cpus=cpus))
        queue.close()
    print_table(
        f"{arguments.jobs} forests of 600 trees, each on one core; {os.cpu_count()} cores, {arguments.rounds} rounds",
        [["workers", "median of a batch", "least and most", "times as fast"], *told(batches, batches[1])],
    )
    rows = [row for name in ALONE for row in told({(name, n): cores[name, n] for n in (1, 2)}, cores[name, 1])]
    print_table("One job on one worker", [["estimator, cpus", "median", "least and most", "times as fast"], *rows])


def told(measured: dict[Any, list[float]], reference: list[float]) -> Iterator[list[str]]:
    """One row for each target."""
    for name, seconds in measured.items():
        median = statistics.median(seconds)
        faster = f"{statistics.median(reference) / median:.2f}"
        label = ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        yield [label, f"{median:.1f} s", f"{min(seconds):.1f} - {max(seconds):.1f} s", faster]


class Trainings:
    """Accepts trainings on an example and waits for them."""

    def __init__(self, settings: Settings) -> None:
        """The example is catalogued here."""
        self.settings = settings
        self.queue = JobQueue(settings)
        self._database = Database(settings.sqlalchemy_url)
        store, reader = open_store(settings), Reader(settings)
        self._name, self._number = ensure_example(
            "breast_cancer", database=self._database, store=store, reader=reader, settings=settings
        )
        with self._database.read() as session:
            self._version = version_id(session, self._name, self._number)
        reader.close()
        store.close()

    def seconds(self, models: list[dict[str, Any]], *, cpus: int, **asked: Any) -> float:
        """From the start of the first job to the end of the last one; `asked` is what else the requests say."""
        jobs = [self._accept(model, cpus, asked) for model in models]
        for job_id in jobs:
            ring(self.queue, job_id, Kind.TRAIN)
        until(lambda: self._succeeded(jobs) == len(jobs))
        with self._database.read() as session:
            query = select(func.min(JobRow.started_at), func.max(JobRow.finished_at)).where(JobRow.id.in_(jobs))
            first, last = session.execute(query).one()
        assert first is not None
        assert last is not None
        return float((last - first).total_seconds())

    def close(self) -> None:
        """Give connections back."""
        self.queue.close()
        self._database.close()

    def _accept(self, model: dict[str, Any], cpus: int, asked: dict[str, Any]) -> UUID:
        request = {
            "dataset_name": self._name,
            "dataset_version": self._number,
            "model": model,
            "target_column": "target",
            **asked,
        }
        with self._database.write() as session:
            return accept(
                session,
                kind=Kind.TRAIN,
                request=request,
                dataset_name=self._name,
                dataset_version_id=self._version,
                limits=RequestedLimits(cpus=cpus),
            ).id

    def _succeeded(self, jobs: list[UUID]) -> int:
        query = select(func.count()).where(JobRow.id.in_(jobs), JobRow.status == State.SUCCEEDED)
        with self._database.read() as session:
            return session.scalar(query) or 0


@contextmanager
def running(trainings: Trainings, count: int) -> Iterator[None]:
    """So many workers for the block, each ready."""
    until(lambda: not trainings.queue.workers())
    with ExitStack() as opened:
        for _ in range(count):
            opened.enter_context(worker([sys.executable, "-m", "worker"], trainings.settings))
        until(lambda: len(trainings.queue.workers()) == count)
        # Whatever a worker does once is done.
        trainings.seconds([ALONE["LogisticRegression"]] * count, cpus=1)
        yield


if __name__ == "__main__":
    main()
