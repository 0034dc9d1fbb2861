"""What a job shows of itself while it runs, with a real worker."""

from typing import Any
from uuid import UUID

import pytest

from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, State
from shared.training.steps import EVALUATING, FITTING
from tests.support.site import SLOW, Site
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

# Some two seconds of a fit that does not tell how far it is.
SILENT = {"module": "ensemble", "class": "BaggingClassifier", "params": {"n_estimators": 250}}


def watched(site: Site, job_id: UUID) -> tuple[list[dict[str, Any]], JobRow]:
    """Every progress that a running job was seen with, and the job at its end."""
    seen: list[dict[str, Any]] = []

    def over() -> bool:
        job = site.job(job_id)
        if job.status == State.RUNNING and (not seen or seen[-1] != job.progress):
            seen.append(job.progress)
        return job.status in TERMINAL

    eventually(over, timeout=60)
    return seen, site.until(job_id, State.SUCCEEDED)


def inside_the_fit(seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in seen if each["step"] == "fitting" and FITTING < each["percent"] < EVALUATING]


def test_a_fit_that_can_be_seen_shows_how_far_it_is(installation: Site) -> None:
    installation.start_worker()
    seen, job = watched(installation, installation.train(SLOW, example="breast_cancer"))
    assert inside_the_fit(seen)
    assert not any("estimated" in each for each in seen)
    assert [each["percent"] for each in seen] == sorted(each["percent"] for each in seen)
    assert job.usage is not None
    assert job.usage["peak_memory_mb"] > 20
    assert job.usage["cpu_seconds"] > 0
    assert job.usage["wall_seconds"] > 0


@pytest.mark.thorough
def test_a_silent_fit_is_estimated_once_there_is_an_earlier_one(installation: Site) -> None:
    installation.start_worker()
    first, _ = watched(installation, installation.train(SILENT, example="breast_cancer"))
    second, _ = watched(installation, installation.train(SILENT, example="breast_cancer"))
    assert not inside_the_fit(first)
    assert not any("estimated" in each for each in first)
    estimated = inside_the_fit(second)
    assert estimated
    assert all(each["estimated"] for each in estimated)
    assert [each["percent"] for each in second] == sorted(each["percent"] for each in second)


def test_a_job_whose_worker_finds_its_disk_full_is_done_once_there_is_room(installation: Site) -> None:
    full = installation.folder / "full"
    installation.start_worker(MLMINI_FAIL=f"fetch.half=enospc@{full}", MLMINI_RETRY_BASE_SECONDS="2")
    full.touch()
    job_id = installation.train()
    eventually(lambda: installation.job(job_id).transient_count == 1, timeout=30)
    error = installation.job(job_id).error
    assert error is not None
    assert error["code"] == "scratch_full"
    assert "MLMINI_HOME" in error["message"]
    assert installation.until(job_id, State.SUCCEEDED).crash_count == 0
