"""Faults that a job survives, with real worker processes that are really killed."""

import signal
from uuid import UUID

import psutil
import pytest
import redis
from sqlalchemy import func, select

from shared.jobs.acceptance import cancel
from shared.jobs.rows import JobEventRow
from shared.jobs.states import State
from shared.registry.rows import DeploymentRow, RegistryRow
from tests.support.alive import alive
from tests.support.chaos.locks import can_be_written
from tests.support.site import SLOW, Site, Worker
from tests.support.waiting import eventually

# The tests below chaos do the same and worse on PostgreSQL and S3.
pytestmark = pytest.mark.any_stack


def path_of(site: Site, job_id: UUID) -> list[str]:
    """The states that the job went through."""
    with site.database.read() as session:
        query = select(JobEventRow.to_state).where(JobEventRow.job_id == job_id).order_by(JobEventRow.seq)
        return list(session.scalars(query))


def assert_one_effect_each(site: Site, *job_ids: UUID) -> None:
    """Every job has exactly one registered version with one active deployment, whose file is in the store."""
    with site.database.read() as session:
        registered = {row.job_id: row for row in session.scalars(select(RegistryRow))}
        assert set(registered) == set(job_ids)
        for row in registered.values():
            deployment = session.scalars(select(DeploymentRow).where(DeploymentRow.version == row.version)).one()
            stored = site.store.stat(site.settings.models_bucket, deployment.artifact_path)
            assert (stored.size, stored.sha256) == (deployment.size_bytes, deployment.sha256)


def test_a_job_runs_once(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train()
    job = installation.until(job_id, State.SUCCEEDED)
    assert job.attempt == 1
    assert job.result is not None
    assert job.result["artifact_path"] == f"iris_model_dev_v{job.result['version']}.pkl"
    assert path_of(installation, job_id) == ["queued", "running", "succeeded"]
    assert_one_effect_each(installation, job_id)


@pytest.mark.thorough
def test_a_worker_killed_in_the_middle_of_a_fit_takes_its_computation_along_and_another_finishes(
    installation: Site,
) -> None:
    first = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    family = first.family()
    assert len(family) >= 3, "worker, fork server and computation"
    first.kill()
    eventually(lambda: not any(map(alive, family)), timeout=30)
    installation.start_worker()
    job = installation.until(job_id, State.SUCCEEDED)
    assert job.crash_count == 1
    assert job.epoch == 3
    assert path_of(installation, job_id) == ["queued", "running", "queued", "running", "succeeded"]
    assert_one_effect_each(installation, job_id)


def test_everything_killed_and_started_again_finishes_what_was_accepted(installation: Site) -> None:
    first = installation.start_worker()
    running = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(running)
    waiting = installation.train()
    first.kill()
    installation.valkey.kill()
    installation.valkey.start()
    installation.start_worker()
    for job_id in (running, waiting):
        installation.until(job_id, State.SUCCEEDED)
    assert_one_effect_each(installation, running, waiting)


@pytest.mark.thorough
def test_jobs_queued_in_a_redis_that_is_emptied_are_told_of_again(installation: Site) -> None:
    jobs = [installation.train() for _ in range(5)]
    eventually(lambda: installation.queue.depth() == 5)
    installation.valkey.kill()
    installation.valkey.start()
    assert installation.queue.depth() == 0
    # Nobody polls: only the relay can bring the messages back.
    installation.start_worker(MLMINI_POLL_SECONDS="3600")
    for job_id in jobs:
        installation.until(job_id, State.SUCCEEDED)
    assert_one_effect_each(installation, *jobs)


def test_a_worker_starts_and_works_while_redis_is_down(installation: Site) -> None:
    installation.valkey.kill()
    installation.start_worker()
    job_id = installation.train()
    installation.until(job_id, State.SUCCEEDED)
    installation.valkey.start()


@pytest.mark.thorough
def test_a_worker_that_is_asked_to_stop_hands_its_job_back_and_counts_no_crash(installation: Site) -> None:
    worker = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    with redis.Redis(port=installation.valkey.port) as broker:
        # Its message is gone: nobody is to hear of it again but from the database.
        assert (installation.queue.depth(), broker.hlen("unacked")) == (0, 0)
    family = worker.family()
    worker.terminate(timeout=10)
    assert not any(map(alive, family))
    job = installation.job(job_id)
    assert (job.status, job.crash_count, job.transient_count) == (State.QUEUED, 0, 0)
    assert job.progress == {"percent": 0, "step": "queued"}
    installation.start_worker()
    assert installation.until(job_id, State.SUCCEEDED).attempt == 2


def pause(worker: Worker, url: str) -> list[psutil.Process]:
    """Stop a worker with all it started, but not while it holds a lock, which would stop everybody."""
    family = worker.family()

    def paused() -> bool:
        for process in family:
            process.send_signal(signal.SIGSTOP)
        if can_be_written(url):
            return True
        for process in family:
            process.send_signal(signal.SIGCONT)
        return False

    eventually(paused, timeout=60)
    return family


@pytest.mark.thorough
def test_a_worker_that_was_paused_past_its_lease_writes_nothing(installation: Site) -> None:
    paused = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    stopped = pause(paused, installation.settings.sqlalchemy_url)
    installation.start_worker()
    job = installation.until(job_id, State.SUCCEEDED)
    for process in stopped:
        process.send_signal(signal.SIGCONT)
    eventually(
        lambda: "attempt_settled" in paused.log, timeout=60, what="the paused worker notices that it lost the job"
    )
    assert installation.job(job_id).finished_at == job.finished_at
    assert_one_effect_each(installation, job_id)


def test_a_running_job_that_is_cancelled_stops_and_registers_nothing(installation: Site) -> None:
    worker = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    with installation.database.write() as session:
        cancel(session, job_id)
    installation.until(job_id, State.CANCELLED)
    eventually(lambda: not any(map(alive, worker.computations)), what="nothing computes any more")
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RegistryRow)) == 0
