"""The checker itself: each invariant finds what was planted against it, and nothing in a clean history."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from shared.jobs.logs import CUT
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.registry.rows import RegistryRow
from shared.settings import Settings
from tests.support.chaos.checker import INVARIANTS, violations
from tests.support.chaos.history import History, Stored
from tests.support.chaos.planted import (
    CANCELLED,
    DATA_KEY,
    PROMOTED,
    TRAINED,
    add_job,
    at,
    call,
    clean,
    deploy,
    event,
    prediction,
    put,
)

OTHER = UUID(int=9)
Plant = Callable[[History], object]


def rescue_at(history: History, seconds: float) -> None:
    """A job whose worker died at 41 and which another one took, to fail with it."""
    path = [State.RUNNING, State.QUEUED, State.RUNNING, State.FAILED]
    job = add_job(history, OTHER, Kind.TRAIN, path, since=40)
    rescued, claimed, failed = history.events[OTHER][2:]
    for number, row in enumerate((rescued, claimed, failed)):
        row.actor, row.at, row.epoch = "worker-2", at(seconds + number), 2 + min(number, 1)
    job.epoch, job.crash_count = 3, 1


def hand_back(history: History, said: str) -> JobRow:
    """A job whose first attempt ended with a line and without a rescue, and whose second one failed."""
    job = add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.QUEUED, State.RUNNING, State.FAILED], since=40)
    history.lines[OTHER, 1] = ["attempt 1 started", said]
    return job


def lose_a_promised_job(history: History) -> None:
    history.journal.add(call("POST", "/train", {"job_id": str(OTHER)}, status=202, key="another"))


def leave_a_job_running(history: History) -> None:
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING], since=40)


def register_a_job_twice(history: History) -> None:
    history.registry.append(RegistryRow(version=2, job_id=TRAINED, artifact_path="iris_model_dev_v2.pkl"))
    history.counters["model_version"] = 2
    deploy(history, 2, "dev", since=2)


def forget_what_a_train_registered(history: History) -> None:
    history.registry.clear()


def register_another_version_than_the_job_says(history: History) -> None:
    history.jobs[TRAINED].result = {"version": 7, "stage": "dev"}


def deploy_what_no_job_promoted(history: History) -> None:
    deploy(history, 1, "production", since=50)


def promote_without_a_deployment(history: History) -> None:
    add_job(history, OTHER, Kind.PROMOTE, [State.RUNNING, State.SUCCEEDED], since=40, version=1, stage="production")


def take_fewer_numbers_than_are_registered(history: History) -> None:
    history.counters["model_version"] = 0


def lose_numbers_without_a_failed_attempt(history: History) -> None:
    history.counters["model_version"] = 5


def let_a_version_be_older_than_its_number(history: History) -> None:
    """The second version is committed before the attempt of the first one begins."""
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.SUCCEEDED], since=-30, version=2, stage="dev")
    history.registry.append(RegistryRow(version=2, job_id=OTHER, artifact_path="iris_model_dev_v2.pkl"))
    history.counters["model_version"] = 2
    deploy(history, 2, "dev", since=-28)


def give_a_number_twice(history: History) -> None:
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.SUCCEEDED], since=4, version=1, stage="dev")
    history.registry.append(RegistryRow(version=1, job_id=OTHER, artifact_path="iris_model_dev_v1.pkl"))


def lose_an_artifact(history: History) -> None:
    del history.objects[history.settings.models_bucket, "iris_model_staging_v1.pkl"]


def change_an_artifact(history: History) -> None:
    place = (history.settings.models_bucket, "iris_model_dev_v1.pkl")
    history.objects[place] = Stored(7, "0" * 64, at(0))


def lose_a_table(history: History) -> None:
    del history.objects[history.settings.datasets_bucket, DATA_KEY]


def commit_twice(history: History) -> None:
    history.events[TRAINED].append(event(TRAINED, 4, State.SUCCEEDED, State.SUCCEEDED, epoch=1, seconds=9))


def commit_by_an_old_epoch(history: History) -> None:
    """Rescued and claimed again, and the first attempt commits."""
    path = [State.RUNNING, State.QUEUED, State.RUNNING, State.SUCCEEDED]
    add_job(history, TRAINED, Kind.TRAIN, path, since=0, version=1, stage="dev")
    history.events[TRAINED][-1].epoch = 1
    history.jobs[TRAINED].epoch = 1


def skip_an_event(history: History) -> None:
    del history.events[TRAINED][1]


def go_on_after_the_end(history: History) -> None:
    history.events[CANCELLED].append(event(CANCELLED, 3, State.CANCELLED, State.RUNNING, epoch=1, seconds=40))
    history.jobs[CANCELLED].status, history.jobs[CANCELLED].epoch = State.RUNNING, 1


def change_a_job_without_an_event(history: History) -> None:
    history.jobs[TRAINED].status = State.FAILED


def claim_a_job_that_runs(history: History) -> None:
    first, second, last = history.events[PROMOTED]
    again = event(PROMOTED, 3, State.RUNNING, State.RUNNING, epoch=2, seconds=11.5, actor="worker-2")
    last.seq, last.epoch = 4, 2
    history.events[PROMOTED] = [first, second, again, last]


def rescue_before_the_lease_is_over(history: History) -> None:
    rescue_at(history, 45)


def end_the_attempt_of_another(history: History) -> None:
    history.events[TRAINED][-1].actor = "worker-2"


def rescue_to_success(history: History) -> None:
    history.events[TRAINED][-1].epoch = 2
    history.jobs[TRAINED].epoch = 2


def let_a_cancelled_job_have_an_effect(history: History) -> None:
    history.registry.append(RegistryRow(version=2, job_id=CANCELLED, artifact_path="iris_model_dev_v1.pkl"))


def let_a_job_succeed_whose_cancel_was_accepted(history: History) -> None:
    history.journal.add(call("POST", f"/jobs/{TRAINED}/cancel", {"job_id": str(TRAINED)}, status=202))


def activate_twice(history: History) -> None:
    deploy(history, 1, "staging", since=15)


def predict_with_a_version_that_is_not_there(history: History) -> None:
    history.journal.add(prediction(1, "production", began=30))


def predict_before_the_promotion(history: History) -> None:
    history.journal.add(prediction(1, "staging", began=5))


def predict_with_a_retired_version(history: History) -> None:
    history.deployments[-1].retired_at = at(25)


def predict_with_a_version_that_was_followed_by_another(history: History) -> None:
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.SUCCEEDED], since=15, version=2, stage="dev")
    history.journal.add(prediction(1, "dev", began=30))
    deploy(history, 2, "dev", since=17)


def predict_in_two_ways(history: History) -> None:
    history.journal.add(prediction(1, "staging", began=40, label="virginica"))


def make_two_jobs_of_one_key(history: History) -> None:
    key = history.keys[0].key
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.FAILED], since=40)
    history.journal.add(call("POST", "/train", {"job_id": str(OTHER)}, status=202, key=key))


def make_a_second_job_whose_answer_was_lost(history: History) -> None:
    add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.FAILED], since=40)
    history.journal.calls[-2:] = []
    history.keys.pop()


def leave_an_object_that_no_row_names(history: History) -> None:
    history.collected = True
    put(history, history.settings.models_bucket, "iris_model_dev_v3.pkl")


def crash_too_often(history: History) -> None:
    history.jobs[TRAINED].crash_count = 4


def go_on_after_the_last_crash(history: History) -> None:
    history.jobs[TRAINED].crash_count = 3


def quarantine_too_early(history: History) -> None:
    job = add_job(history, OTHER, Kind.TRAIN, [State.RUNNING, State.QUARANTINED], since=40)
    job.crash_count = 1


def count_a_crash_that_was_none(history: History) -> None:
    """The worker was asked to stop and handed the job back."""
    hand_back(history, "the worker is asked to stop, the job goes back to the queue").crash_count = 1


def forget_a_crash(history: History) -> None:
    hand_back(history, "the job goes back to the queue: The computing process died before it was done.")


def forget_a_rescue(history: History) -> None:
    rescue_at(history, 52)
    history.jobs[OTHER].crash_count = 0


def crash_where_nobody_was_killed(history: History) -> None:
    rescue_at(history, 52)
    history.calm = True


def tell_a_secret(history: History) -> None:
    history.journal.add(call("GET", "/jobs", None, status=503, text='{"detail": "no user a-secret-word"}'))


def tell_a_path(history: History) -> None:
    history.journal.add(
        call("GET", "/jobs", None, status=503, text='{"detail": "cannot open /var/lib/ml_registry.db"}')
    )


def tell_a_traceback(history: History) -> None:
    history.jobs[CANCELLED].error = {"code": "x", "message": "Traceback (most recent call last): ..."}


def damage_the_database(history: History) -> None:
    history.integrity = ["row 7 missing from index ix_jobs_due"]


PLANTED: list[tuple[str, Plant]] = [
    ("I1", lose_a_promised_job),
    ("I1", leave_a_job_running),
    ("I2", register_a_job_twice),
    ("I2", forget_what_a_train_registered),
    ("I2", register_another_version_than_the_job_says),
    ("I2", deploy_what_no_job_promoted),
    ("I2", promote_without_a_deployment),
    ("I3", take_fewer_numbers_than_are_registered),
    ("I3", lose_numbers_without_a_failed_attempt),
    ("I3", let_a_version_be_older_than_its_number),
    ("I3", give_a_number_twice),
    ("I4", lose_an_artifact),
    ("I4", change_an_artifact),
    ("I4", lose_a_table),
    ("I5", commit_twice),
    ("I5", commit_by_an_old_epoch),
    ("I5", skip_an_event),
    ("I5", go_on_after_the_end),
    ("I5", change_a_job_without_an_event),
    ("I6", claim_a_job_that_runs),
    ("I6", rescue_before_the_lease_is_over),
    ("I6", end_the_attempt_of_another),
    ("I6", rescue_to_success),
    ("I7", let_a_cancelled_job_have_an_effect),
    ("I7", let_a_job_succeed_whose_cancel_was_accepted),
    ("I8", activate_twice),
    ("I9", predict_with_a_version_that_is_not_there),
    ("I9", predict_before_the_promotion),
    ("I9", predict_with_a_retired_version),
    ("I9", predict_with_a_version_that_was_followed_by_another),
    ("I9", predict_in_two_ways),
    ("I10", make_two_jobs_of_one_key),
    ("I10", make_a_second_job_whose_answer_was_lost),
    ("I11", leave_an_object_that_no_row_names),
    ("I12", crash_too_often),
    ("I12", go_on_after_the_last_crash),
    ("I12", quarantine_too_early),
    ("I12", count_a_crash_that_was_none),
    ("I12", forget_a_crash),
    ("I12", forget_a_rescue),
    ("I12", crash_where_nobody_was_killed),
    ("I13", tell_a_secret),
    ("I13", tell_a_path),
    ("I13", tell_a_traceback),
    ("I14", damage_the_database),
]


@pytest.fixture
def history(tmp_path: Path) -> History:
    """In it everything is as it should be."""
    return clean(Settings(home=tmp_path))


def test_a_clean_history_has_no_violation(history: History) -> None:
    assert violations(history) == []


@pytest.mark.parametrize(("invariant", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_what_is_planted_is_found(history: History, invariant: str, plant: Plant) -> None:
    plant(history)
    assert invariant in {found.invariant for found in violations(history)}


def test_every_invariant_has_something_planted_against_it() -> None:
    assert set(INVARIANTS) == {f"I{number}" for number in range(1, 15)} == {invariant for invariant, _ in PLANTED}


def test_a_prediction_may_be_as_old_as_a_process_may_be(history: History) -> None:
    history.deployments[-1].retired_at = at(30) - timedelta(seconds=0.9)
    assert violations(history) == []


def test_a_prediction_may_be_older_when_the_process_could_not_look(history: History) -> None:
    history.deployments[-1].retired_at = at(20)
    assert violations(history) != []
    history.journal.blind.append((19.0, 31.0))
    assert violations(history) == []


def test_a_job_that_is_rescued_after_its_lease_is_no_violation(history: History) -> None:
    rescue_at(history, 52)
    assert violations(history) == []


def test_a_crash_that_the_job_tells_of_is_counted(history: History) -> None:
    hand_back(history, "the job goes back to the queue: The computing process died before it was done.").crash_count = 1
    assert violations(history) == []


def test_a_full_log_does_not_tell_whether_there_was_a_crash(history: History) -> None:
    job = hand_back(history, CUT)
    assert violations(history) == []
    job.crash_count = 1
    assert violations(history) == []
    job.crash_count = 2
    assert {found.invariant for found in violations(history)} == {"I12"}
