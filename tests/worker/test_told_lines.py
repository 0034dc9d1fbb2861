"""What jobs say to people while real worker processes run them."""

import re
import time
from uuid import UUID

import pytest

from shared.jobs.acceptance import accept, cancel
from shared.jobs.states import Kind, State
from tests.support.alive import kill_each
from tests.support.jobs import log_of
from tests.support.site import SLOW, Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

# Too few iterations to converge, which scikit-learn warns of.
HASTY = {"module": "neural_network", "class": "MLPClassifier", "params": {"max_iter": 3}}


def log(site: Site, job_id: UUID) -> list[str]:
    return log_of(site.database, job_id)


def promote(site: Site, version: int, stage: str) -> UUID:
    with site.database.write() as session:
        request = {"dataset_name": "iris", "version": version, "target_stage": stage}
        return accept(session, kind=Kind.PROMOTE, request=request, dataset_name="iris", dataset_version_id=None).id


def test_lines_come_while_a_job_runs_and_are_complete_when_it_has_ended(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    eventually(lambda: "fitting GradientBoostingClassifier on 455 rows" in log(installation, job_id), timeout=90)
    assert installation.job(job_id).status == State.RUNNING
    job = installation.until(job_id, State.SUCCEEDED)
    said = log(installation, job_id)
    assert said[0] == "attempt 1 started"
    assert said[1].startswith("fetched the table 'breast_cancer', 124,866 bytes")
    assert said[2] == "read 569 rows × 31 columns"  # noqa: RUF001 - the sign of multiplication is meant
    assert said[3].endswith("and 25 more: used as a number")
    assert said[4] == "fitting GradientBoostingClassifier on 455 rows"
    assert re.fullmatch(r"fitted in \d+\.\d s", said[5])
    assert said[6].startswith("measured on 114 rows: accuracy 0.9")
    assert job.result is not None
    assert said[7].startswith("No folds, and so no intervals: none were asked for")
    assert re.fullmatch(r"Equal to scikit-learn on [\d,]+ rows: labels and numbers to the last bit\.", said[8])
    artifact = job.result["artifact_path"]
    assert said[9].startswith(f"stored {artifact}, ")
    assert said[10].startswith(f"stored {artifact.removesuffix('.pkl')}.npz, ")
    assert said[11:] == [f"registered as version {job.result['version']}"]


def test_a_promotion_says_what_it_copied(installation: Site) -> None:
    installation.start_worker()
    installation.until(installation.train(), State.SUCCEEDED)
    job_id = promote(installation, 1, "staging")
    installation.until(job_id, State.SUCCEEDED)
    started, copying, copying_form, copied, active = log(installation, job_id)
    assert copying_form == "copying iris_model_dev_v1.npz to iris_model_staging_v1.npz"
    assert (started, active) == ("attempt 1 started", "version 1 is active in staging")
    assert copying == "copying iris_model_dev_v1.pkl to iris_model_staging_v1.pkl"
    assert re.fullmatch(r"copied [\d,]+ bytes and verified them .*", copied)


def test_what_scikit_learn_warns_of_is_told_without_files_and_places(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(HASTY)
    installation.until(job_id, State.SUCCEEDED)
    said = log(installation, job_id)
    assert [
        line for line in said if line.startswith("ConvergenceWarning: Stochastic Optimizer: Maximum iterations (3)")
    ]
    assert not [line for line in said if ".py" in line or "site-packages" in line or str(installation.folder) in line]


@pytest.mark.thorough
def test_after_the_worker_was_killed_the_lines_of_the_next_attempt_follow(installation: Site) -> None:
    worker = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    eventually(lambda: "fitting GradientBoostingClassifier on 455 rows" in log(installation, job_id), timeout=90)
    before = log(installation, job_id)
    worker.kill()
    installation.start_worker()
    installation.until(job_id, State.SUCCEEDED)
    said = log(installation, job_id)
    assert said[: len(before)] == before
    assert said[len(before) :][:2] == [
        "the worker stopped without a word, the job goes back to the queue",
        "attempt 2 started",
    ]
    assert said[-1] == "registered as version 1"
    assert said.count("fitting GradientBoostingClassifier on 455 rows") == 2


def test_a_worker_that_is_asked_to_stop_says_that_the_job_goes_back(installation: Site) -> None:
    worker = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    worker.terminate(timeout=10)
    said = log(installation, job_id)
    assert "fitting GradientBoostingClassifier on 455 rows" in said
    assert said[-1] == "the worker is asked to stop, the job goes back to the queue"


def test_a_cancelled_job_says_so(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    installation.until_fitting(job_id)
    with installation.database.write() as session:
        cancel(session, job_id)
    installation.until(job_id, State.CANCELLED)
    assert log(installation, job_id)[-1] == "cancelled"


def test_a_failed_job_says_why(installation: Site) -> None:
    installation.start_worker()
    installation.until(installation.train(), State.SUCCEEDED)
    job_id = promote(installation, 1, "production")
    error = installation.until(job_id, State.FAILED).error
    assert error is not None
    assert log(installation, job_id) == ["attempt 1 started", f"failed: {error['message']}"]


def test_a_job_whose_computation_dies_says_what_comes_of_it_each_time(installation: Site) -> None:
    worker = installation.start_worker()
    job_id = installation.train(SLOW, example="breast_cancer")
    deadline = time.monotonic() + 90
    while installation.job(job_id).status != State.QUARANTINED:
        assert time.monotonic() < deadline
        kill_each(worker.computations)
    said = log(installation, job_id)
    ends = [line.partition(":")[0] for line in said if "computing process died" in line]
    assert ends == ["the job goes back to the queue"] * 2 + ["not tried again after this crash"]
    assert [line for line in said if line.startswith("attempt")] == [f"attempt {turn} started" for turn in (1, 2, 3)]


def test_a_job_that_is_tried_again_later_says_when_and_why(installation: Site, stack: Stack) -> None:
    # The server of the store takes its time to come back.
    installation.start_worker(MLMINI_MAX_TRANSIENT_FAILURES="100")
    first = installation.until(installation.train(), State.SUCCEEDED)
    with stack.without_store(installation.settings):
        with installation.database.write() as session:
            job_id = accept(
                session,
                kind=Kind.TRAIN,
                request=first.request,
                dataset_name="iris",
                dataset_version_id=first.dataset_version_id,
            ).id
        eventually(lambda: installation.job(job_id).transient_count > 0, timeout=30)
    installation.until(job_id, State.SUCCEEDED)
    assert re.match(r"retry in \d+\.\d s: .*object store", log(installation, job_id)[1])
