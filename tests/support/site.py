"""A whole installation for tests of the worker: a database, a store, a Redis of its own, and real worker processes."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.database import Database
from shared.datasets.catalog import find_dataset, find_version
from shared.datasets.examples import ensure_example
from shared.fail_points import VARIABLE
from shared.jobs.acceptance import accept, find_job
from shared.jobs.limits import NO_LIMITS, RequestedLimits
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, Kind, State
from shared.object_store import ObjectStore, open_store
from shared.queue import JobQueue
from shared.settings import PREFIX, Settings
from shared.tables.reader import Reader
from tests.support.alive import kill_each
from tests.support.processes import launch
from tests.support.servers import Valkey
from tests.support.waiting import eventually
from tests.support.zygote import Program

# Everything that takes a minute in production takes seconds here.
FAST: dict[str, Any] = {
    "lease_seconds": 3,
    "beat_seconds": 0.5,
    "poll_seconds": 0.5,
    "relay_seconds": 0.5,
    "rescue_seconds": 0.5,
    "retry_base_seconds": 0.1,
    # Who wants running jobs to end in peace says so.
    "drain_seconds": 0,
}
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 3}}
# About a second of fitting, long enough to be met in the middle of it, and little of all else.
SLOW = {"module": "ensemble", "class": "GradientBoostingClassifier", "params": {"n_estimators": 300, "max_depth": 2}}


@dataclass
class Worker:
    """One worker process."""

    process: Program
    log_path: Path

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def is_ready(self) -> bool:
        """Whether it takes jobs, or has taken some and ended since."""
        return "upkeep_started" in self.log

    def family(self) -> list[psutil.Process]:
        """It and everything that it started."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    @property
    def fork_server(self) -> psutil.Process:
        """The process that its computations are forked from; between the two is the server's guard."""
        return self.family()[2]

    @property
    def computations(self) -> list[psutil.Process]:
        """The processes that compute, with all that they started."""
        return self.family()[3:]

    def kill(self) -> None:
        """End it with SIGKILL, and it alone."""
        self.process.kill()
        self.process.wait()

    def terminate(self, *, timeout: float) -> int:
        """Ask it to stop and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=timeout)


@dataclass
class Site:
    """The installation; workers are started and killed by the test."""

    settings: Settings
    database: Database
    store: ObjectStore
    reader: Reader
    queue: JobQueue
    valkey: Valkey
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    # Whether workers come from the zygote or from the command line.
    forked: bool = True

    def start_worker(self, **environment: str) -> Worker:
        """Start a worker and wait until it takes jobs."""
        worker = self.launch_worker(**environment)
        eventually(lambda: worker.is_ready or worker.process.poll() is not None, timeout=60)
        assert worker.process.poll() is None, worker.log
        return worker

    def launch_worker(self, module: str = "worker", **environment: str) -> Worker:
        """Start a worker and do not wait for it."""
        log_path = self.folder / f"worker-{len(self.workers)}.log"
        with log_path.open("wb") as log:
            process = launch(
                module.split(),
                env=os.environ | environment_of(self.settings) | environment,
                cwd=self.folder,
                output=log,
                new_session=True,
                stem=True,
                forked=self.forked,
            )
        worker = Worker(process, log_path)
        self.workers.append(worker)
        return worker

    def kill_at(self, points: Sequence[str], begin: Callable[[], UUID]) -> JobRow:
        """Have workers killed at these points of one job, each by the next attempt; the job once one has finished it.

        The first one is there and was started with `armed`. Nobody waits for the leases of the dead.
        """
        (worker,), job_id = self.workers, None
        for point in points:
            (self.folder / point).touch()
            if job_id is None:
                job_id = begin()
            else:
                worker = self.launch_worker(**self.armed(points))
            assert worker.process.wait(timeout=60) == -signal.SIGKILL, worker.log
            assert not (self.folder / point).exists(), f"killed at another point than {point}"
            with self.database.write() as session:
                session.execute(update(JobRow).where(JobRow.lease_until.is_not(None)).values(lease_until=Now()))
        self.start_worker(**self.armed(points))
        assert job_id is not None
        return self.until(job_id, State.SUCCEEDED)

    def armed(self, points: Sequence[str]) -> dict[str, str]:
        """What has a worker killed at a point as soon as there is a file of its name."""
        faults = ";".join(f"{point}=kill9@{self.folder / point}" for point in points)
        return {VARIABLE: faults, "MLMINI_MAX_CRASHES": str(len(points) + 1)}

    def train(
        self,
        choice: dict[str, Any] | list[dict[str, Any]] = FOREST,
        *,
        example: str = "iris",
        dataset: str | None = None,
        limits: RequestedLimits = NO_LIMITS,
        **more: Any,
    ) -> UUID:
        """Accept a train job of one or several models and ring the doorbell, as the API does.

        It is on a bundled example, or on the first version of a dataset.
        """
        name, version = (dataset, 1) if dataset is not None else self._example(example)
        request = {
            "dataset_name": name,
            "dataset_version": version,
            "models" if isinstance(choice, list) else "model": choice,
            "target_column": "target",
            "features": None,
            "test_size": 0.2,
            "random_state": 42,
        }
        with self.database.write() as session:
            job = accept(
                session,
                kind=Kind.TRAIN,
                request=request | more,
                dataset_name=name,
                dataset_version_id=version_id(session, name, version),
                limits=limits,
            )
        self.queue.wake(job.id, Kind.TRAIN)
        return job.id

    def _example(self, name: str) -> tuple[str, int]:
        return ensure_example(
            name, database=self.database, store=self.store, reader=self.reader, settings=self.settings
        )

    def job(self, job_id: UUID) -> JobRow:
        """The job as it is now."""
        with self.database.read() as session:
            return find_job(session, job_id)

    def until(self, job_id: UUID, state: State, *, timeout: float = 60) -> JobRow:
        """Wait for a state of the job; an end in another one fails at once."""

        def seen() -> JobRow | None:
            job = self.job(job_id)
            wrong_end = job.status in TERMINAL and job.status != state
            assert not wrong_end, f"the job is {job.status}: {job.error}\n" + "\n".join(w.log for w in self.workers)
            return job if job.status == state else None

        found = eventually(seen, timeout=timeout)
        assert found is not None
        return found

    def until_fitting(self, job_id: UUID) -> JobRow:
        """Wait until the job's computation is in the middle of its fit."""

        def fitting() -> JobRow | None:
            job = self.job(job_id)
            return job if job.progress["step"] == "fitting" and job.status == State.RUNNING else None

        found = eventually(fitting, timeout=90)
        assert found is not None
        return found


def version_id(session: Session, name: str, number: int) -> int:
    """The row id of one dataset version."""
    return find_version(session, find_dataset(session, name), number).id


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make `load_settings` return these settings."""
    values = {}
    for name, value in settings:
        if value is None:
            continue
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        values[PREFIX + name.upper()] = ",".join(plain) if isinstance(plain, tuple) else str(plain)
    return values


@contextmanager
def site(settings: Settings, valkey: Valkey, folder: Path) -> Iterator[Site]:
    """An installation whose workers are all dead at the end, with everything they started."""
    database = Database(settings.sqlalchemy_url)
    store = open_store(settings)
    store.prepare()
    reader = Reader(settings)
    queue = JobQueue(settings)
    built = Site(settings, database, store, reader, queue, valkey, folder)
    try:
        yield built
    finally:
        for worker in built.workers:
            if worker.process.poll() is None:
                # All by signal: a process that the test has paused would not notice that its owner is gone.
                kill_each(worker.family())
                worker.process.wait()
        queue.close()
        reader.close()
        store.close()
        database.close()
