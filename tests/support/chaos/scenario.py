"""A scenario: a cluster for one directed fault, with one careful client and the checker at its end."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from sqlalchemy import select

from shared.database import LOCK_WAIT_SECONDS
from shared.datasets.rows import DatasetVersionRow
from shared.jobs.rows import JobEventRow, JobRow
from shared.jobs.states import State
from shared.object_store.shelves import buckets_of
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import CompiledFormRow, DeploymentRow
from shared.settings import PREFIX
from tests.support.chaos.backends import Backends, Kind
from tests.support.chaos.checker import check
from tests.support.chaos.clients import Client
from tests.support.chaos.cluster import Cluster, cluster
from tests.support.chaos.journal import OK, Call, Journal
from tests.support.chaos.locks import can_be_written
from tests.support.site import Worker
from tests.support.waiting import eventually

# Faults that last half a minute do so only if MLMINI_CHAOS=long asks for it. It is read before a test takes such
# variables from the environment.
LONG = os.environ.get(f"{PREFIX}CHAOS") == "long"

CHEAP = {"module": "naive_bayes", "class": "GaussianNB", "params": {}}
# Long enough to be met in the middle of its fit; nothing else of it takes long.
SLOW = {
    "module": "linear_model",
    "class": "LogisticRegression",
    "params": {"solver": "saga", "max_iter": 50_000, "tol": 0},
}
# How often a client asks as long as it usually does.
_PATIENCE = 3
FLOWER = [[5.1, 3.5, 1.4, 0.2]]


def seconds(short: float, long: float) -> float:
    """How long a fault lasts: the time of the fault list in the long run, else a shorter one of the same effect."""
    return long if LONG else short


@dataclass
class Scenario:
    """The cluster, a client and what it wrote down."""

    cluster: Cluster
    journal: Journal
    client: Client

    def train(self, model: dict[str, Any] = CHEAP, **more: Any) -> UUID:
        """Have a model of the irises trained; who is told to come again later does so."""
        body = {"dataset_name": "iris", "use_example": True, "target_column": "target", "model": model}
        # Of scaled numbers, the slow one would learn all that there is in no time.
        body |= {"preprocessing": "none"} | more
        key = uuid4().hex
        for _ in range(_PATIENCE):
            if (call := self.client.post("/train", body, key=key)).is_promise:
                break
        return _promised(call)

    def trained(self, **more: Any) -> int:
        """The version of a model that is trained now."""
        result = self.until(self.train(**more), State.SUCCEEDED).result
        assert result is not None
        version: int = result["version"]
        return version

    def promote(self, version: int, stage: str) -> UUID:
        """Have a version brought to a stage."""
        return _promised(self.client.promote("iris", version, stage))

    def predict_batch(self, version: int, **more: Any) -> UUID:
        """Have a version predict for all irises."""
        body = {"dataset_name": "iris", "environment": "dev", "version": version, "input": {"dataset_name": "iris"}}
        return _promised(self.client.post("/predict/batch", body | more, key=uuid4().hex))

    def job(self, job_id: UUID) -> JobRow:
        """The job as it is now."""
        return self.cluster.site.job(job_id)

    def until(self, job_id: UUID, state: State, *, timeout: float = 60) -> JobRow:
        """Wait for a state of the job; an end in another one fails at once."""
        return self.cluster.site.until(job_id, state, timeout=timeout)

    def error_of(self, job_id: UUID, state: State = State.FAILED) -> dict[str, Any]:
        """How the job says that it failed, when it has."""
        error = self.until(job_id, state).error
        assert error is not None
        return error

    def path_of(self, job_id: UUID) -> list[str]:
        """The states that the job went through."""
        with self.cluster.site.database.read() as session:
            query = select(JobEventRow.to_state).where(JobEventRow.job_id == job_id).order_by(JobEventRow.seq)
            return list(session.scalars(query))

    def computations(self, worker: Worker | None = None) -> list[psutil.Process]:
        """The computing processes of a worker, or of all: those that are in the folder of an attempt."""
        workers = self.cluster.workers if worker is None else [worker]
        return [each for one in workers for each in one.family()[1:] if _computes(each)]

    @contextmanager
    def without_workers(self, *, but: Worker | None = None) -> Iterator[None]:
        """All other workers stand still within the block, and none of them holds a lock."""
        workers = [psutil.Process(worker.process.pid) for worker in self.cluster.workers if worker is not but]
        for _ in range(20):
            for worker in workers:
                worker.suspend()
            if self.writable():
                break
            self.cluster.resume()
            # They let go of the lock only when they get to run, which takes longer on a busy machine.
            eventually(self.writable, timeout=60)
        try:
            yield
        finally:
            self.cluster.resume()

    def writable(self) -> bool:
        """Whether those who stand still hold no lock that others need."""
        return can_be_written(self.cluster.site.settings.sqlalchemy_url)

    def stop_at(self, point: str, begin: Callable[[], UUID]) -> UUID:
        """The job that was begun and whose worker stands still at a point, but without a lock: it would stop all."""
        before = {process.pid for process in self.cluster.stopped()}
        for _ in range(5):
            arm = self.cluster.arm(point, "stop")
            job_id = begin()
            until_gone([arm])
            eventually(lambda: len(self.cluster.stopped()) > len(before))
            if self.writable():
                return job_id
            for process in self.cluster.stopped():
                if process.pid not in before:
                    process.resume()
        raise AssertionError(f"each worker that stood still at {point} held a lock")

    def settle(self, *, timeout: float = 90) -> None:
        """Put everything right, wait until every job has ended, and have the checker look at all that happened."""
        self.cluster.heal()
        assert self.cluster.drain(timeout), [worker.log[-3000:] for worker in self.cluster.workers]
        assert check(self.journal, self.cluster) == []

    def unnamed(self) -> set[str]:
        """The objects that no row names."""
        settings = self.cluster.site.settings
        with self.cluster.site.database.read() as session:
            named = {*session.scalars(select(DeploymentRow.artifact_path))}
            named |= {*session.scalars(select(DatasetVersionRow.object_key))}
            named |= {*session.scalars(select(CompiledFormRow.form_path))}
            named |= {*session.scalars(select(PredictionOutputRow.object_key))}
        return {entry.key for bucket in buckets_of(settings) for entry in self.cluster.site.store.list(bucket)} - named


def _computes(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).name.startswith("job-")
    return False


def _promised(call: Call) -> UUID:
    assert call.is_promise, (call.status, call.text)
    return call.job_id


@contextmanager
def scenario(backends: Backends, kind: Kind, folder: Path, **changes: Any) -> Iterator[Scenario]:
    """A cluster, as `cluster` makes it, with a client."""
    with ExitStack() as stack:
        made = stack.enter_context(cluster(backends, kind, folder, **changes))
        journal = Journal()
        client = Client(journal, made.urls)
        stack.callback(client.close)
        yield Scenario(made, journal, client)


def until_gone(files: Sequence[Path], *, timeout: float = 90) -> None:
    """Wait until every armed fault has taken place."""
    eventually(lambda: not any(file.exists() for file in files), timeout=timeout, what="the faults take place")


def locked_while_a_job_runs(stage: Scenario) -> None:
    """Hold the database locked for longer than a lease; then everything goes on."""
    running = stage.train(SLOW)
    stage.cluster.site.until_fitting(running)
    lock = stage.cluster.lock_database()
    # Longer than anybody waits for a lock.
    timer = threading.Timer(seconds(LOCK_WAIT_SECONDS + 1, 20), lock.release)
    timer.start()
    assert stage.client.job(running).status == OK, "reading goes on"
    # It is told to come again later, and does.
    accepted = stage.train()
    timer.join()
    for job_id in (running, accepted):
        stage.until(job_id, State.SUCCEEDED)
    stage.settle()
