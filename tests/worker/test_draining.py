"""A worker that is asked to stop: what it finishes, what it hands back, and that it takes nothing new."""

import signal

import pytest

from shared.jobs.states import State
from tests.support.alive import alive
from tests.support.site import SLOW, Site, Worker
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

# Longer than a test takes.
ENDLESS = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 10_000}}
PATIENT = {"MLMINI_DRAIN_SECONDS": "600"}


def ask_to_drain(site: Site, worker: Worker) -> None:
    """SIGTERM, and return once it is heard: the worker counts as one no longer."""
    eventually(lambda: len(site.queue.workers()) == 1, timeout=30, what="the worker announces itself")
    worker.process.send_signal(signal.SIGTERM)
    eventually(lambda: "drain_began" in worker.log, timeout=30)
    eventually(lambda: site.queue.workers() == [], timeout=30, what="the worker leaves the list")


def test_a_job_that_ends_within_the_grace_time_ends_where_it_runs(installation: Site) -> None:
    worker = installation.start_worker(**PATIENT)
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    ask_to_drain(installation, worker)
    assert worker.process.wait(timeout=60) == 0
    job = installation.job(job_id)
    assert (job.status, job.attempt, job.crash_count) == (State.SUCCEEDED, 1, 0)


@pytest.mark.thorough
def test_a_signal_to_all_processes_of_a_worker_is_as_good_as_one_to_it_alone(installation: Site) -> None:
    worker = installation.start_worker(**PATIENT)
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    family = worker.family()
    assert len(family) == 4, "worker, guard, fork server and computation"
    # As systemd does, and a shell to a group.
    for process in family:
        process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=60) == 0
    job = installation.job(job_id)
    assert (job.status, job.attempt, job.crash_count) == (State.SUCCEEDED, 1, 0)


def test_no_job_is_taken_while_the_worker_drains(installation: Site) -> None:
    worker = installation.start_worker(MLMINI_WORKER_SLOTS="2", **PATIENT)
    running = installation.train(ENDLESS, example="breast_cancer")
    installation.until_fitting(running)
    ask_to_drain(installation, worker)
    late = installation.train()
    eventually(lambda: installation.queue.depth() == 1, timeout=30)
    # Nobody takes the message, so after a while the relay, which goes on, looks whether it needs another one.
    installation.valkey.kill()
    installation.valkey.start()
    eventually(lambda: installation.job(late).last_published_at is not None, timeout=30)
    assert (installation.job(late).status, installation.job(running).status) == (State.QUEUED, State.RUNNING)
    installation.start_worker()
    assert installation.until(late, State.SUCCEEDED).attempt == 1


def test_a_job_that_takes_longer_is_handed_back_and_counts_no_crash(installation: Site) -> None:
    worker = installation.start_worker(MLMINI_DRAIN_SECONDS="1")
    job_id = installation.train(ENDLESS, example="breast_cancer")
    installation.until_fitting(job_id)
    family = worker.family()
    assert worker.terminate(timeout=30) == 0
    assert not [each for each in family if alive(each)]
    job = installation.job(job_id)
    assert (job.status, job.attempt, job.crash_count, job.transient_count) == (State.QUEUED, 1, 0, 0)
    installation.start_worker()
    assert installation.until(job_id, State.RUNNING).attempt == 2


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_second_signal_ends_the_grace_time(installation: Site, second: signal.Signals) -> None:
    worker = installation.start_worker(**PATIENT)
    job_id = installation.train(ENDLESS, example="breast_cancer")
    installation.until_fitting(job_id)
    ask_to_drain(installation, worker)
    assert installation.job(job_id).status == State.RUNNING
    worker.process.send_signal(second)
    assert worker.process.wait(timeout=30) == 0
    assert (installation.job(job_id).status, installation.job(job_id).crash_count) == (State.QUEUED, 0)


def test_a_worker_that_is_told_to_quit_waits_for_nothing(installation: Site) -> None:
    worker = installation.start_worker(**PATIENT)
    job_id = installation.train(ENDLESS, example="breast_cancer")
    installation.until_fitting(job_id)
    worker.process.send_signal(signal.SIGQUIT)
    assert worker.process.wait(timeout=30) == 0
    assert (installation.job(job_id).status, installation.job(job_id).crash_count) == (State.QUEUED, 0)


def test_an_idle_worker_leaves_at_once(installation: Site) -> None:
    worker = installation.start_worker(MLMINI_DRAIN_SECONDS="3600")
    assert worker.terminate(timeout=30) == 0
