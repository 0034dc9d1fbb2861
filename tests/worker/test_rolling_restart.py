"""Every process of a platform that is in use is restarted, one after the other."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import func, select

from shared.jobs.rows import JobRow
from shared.jobs.states import State
from shared.registry.rows import RegistryRow
from tests.support.api_server import ApiServer
from tests.support.site import Site, Worker
from tests.support.waiting import eventually

CLIENTS = 3
BODY = {"dataset_name": "iris", "use_example": True, "model": {"module": "naive_bayes", "class": "GaussianNB"}}
# Leases that a machine under load does not miss: here nobody dies.
STEADY = {"MLMINI_LEASE_SECONDS": "30", "MLMINI_BEAT_SECONDS": "5"}
# One worker lets its jobs end, the other one hands them back.
DRAINS = ("20", "0")


@dataclass
class Load:
    """Clients that train, each one model after the other, as a careful client does."""

    urls: list[str]
    accepted: dict[str, UUID] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    cut: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        """Be one of the clients."""
        while not self.over.is_set():
            key = str(uuid4())
            job = self._send(number, "POST", "/train", json=BODY, headers={"Idempotency-Key": key})
            if job is None:
                return
            self.accepted[key] = UUID(job["job_id"])
            while job is not None and job["finished_at"] is None and not self.over.is_set():
                job = self._send(number, "GET", f"/jobs/{job['job_id']}?wait=2")

    def _send(self, number: int, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        """The answer; a connection that is refused or cut is tried again, at the other address."""
        while True:
            number += 1
            try:
                answer = httpx2.request(method, self.urls[number % len(self.urls)] + path, timeout=30, **more)
            except httpx2.TransportError:
                self.cut += 1
                continue
            if answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
            self.refused.append(f"{method} {path}: {answer.status_code} {answer.text}")
            return None

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Have all clients at work for the block."""
        threads = [
            threading.Thread(target=self.run, args=(number,), name=f"client-{number}") for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()


@pytest.mark.rows(34)
def test_a_rolling_restart_under_load_loses_nothing_and_doubles_nothing(installation: Site) -> None:
    apis = [ApiServer(installation.settings) for _ in range(2)]
    with ExitStack() as stack:
        # Side by side, which is faster.
        workers = [installation.launch_worker(MLMINI_DRAIN_SECONDS=seconds, **STEADY) for seconds in DRAINS]
        for api in apis:
            stack.callback(api.remove)
            api.launch()
        eventually(lambda: all(map(answers, apis)), timeout=90)
        eventually(lambda: all(worker.is_ready for worker in workers), timeout=90)
        load = Load([api.url for api in apis])
        with load.going_on():
            for api in apis:
                more_is_done(load)
                restart_api(api)
            for worker in workers:
                more_is_done(load)
                eventually(lambda: holds_a_job(installation, worker), timeout=30)  # noqa: B023 - called here and now
                assert worker.terminate(timeout=40) == 0, worker.log
                installation.start_worker(**STEADY)
            more_is_done(load)
        assert load.refused == []
        all_succeed(installation, load)


def more_is_done(load: Load) -> None:
    """Wait until all clients have got on since the last restart."""
    so_far = len(load.accepted)
    eventually(lambda: len(load.accepted) >= so_far + CLIENTS or load.refused, timeout=60)


def answers(api: ApiServer) -> bool:
    """Whether it takes requests."""
    with suppress(OSError):
        return api.is_ready()
    return False


def restart_api(api: ApiServer) -> None:
    """Stop it by SIGTERM, see that it ends in order, and start it at the same address."""
    process = api.process
    assert process is not None
    api.stop()
    # It ends by the signal once it is done; SIGKILL would be another one.
    assert process.returncode == -signal.SIGTERM
    api.launch()
    eventually(lambda: answers(api), timeout=90)


def holds_a_job(site: Site, worker: Worker) -> bool:
    """Whether a running job belongs to the worker."""
    with site.database.read() as session:
        names = session.scalars(select(JobRow.worker).where(JobRow.status == State.RUNNING)).all()
    return any(f"-{worker.process.pid}-" in (name or "") for name in names)


def all_succeed(site: Site, load: Load) -> None:
    """Every accepted job succeeds, with one model each, and nothing counts as a crash."""
    for job_id in load.accepted.values():
        site.until(job_id, State.SUCCEEDED)
    with site.database.read() as session:
        jobs = session.execute(select(JobRow.id, JobRow.crash_count, JobRow.transient_count)).all()
        models = session.scalars(select(RegistryRow.job_id)).all()
        assert session.scalar(select(func.count()).where(JobRow.status != State.SUCCEEDED)) == 0
    assert {job.id for job in jobs} == set(load.accepted.values()) == set(models)
    assert len(models) == len(load.accepted) == len(jobs)
    assert {(job.crash_count, job.transient_count) for job in jobs} == {(0, 0)}
