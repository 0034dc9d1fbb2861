"""The progress of a computation, by its own word or as an estimate."""

from pathlib import Path

import pytest
from sqlalchemy import update

from shared.jobs.states import State
from shared.registry.rows import RegistryRow
from shared.training.steps import EVALUATING, FITTING, ONLY, PREPARING, STORING, Turn
from tests.support.site import Site
from tests.support.waiting import eventually
from worker.heartbeat import AttemptProgress
from worker.pace import Pace
from worker.telling import Telling


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which a computation has just begun its fit."""
    say(tmp_path, "fitting", FITTING)
    return tmp_path


def say(folder: Path, step: str, percent: int, *, measured: bool = False, turn: Turn = ONLY) -> None:
    Telling(folder).show(step, percent, measured=measured, turn=turn)


def test_before_its_first_word_nothing_is_known(tmp_path: Path) -> None:
    assert Pace(tmp_path, expected_fit_seconds=[10]).now() is None


def test_a_silent_fit_without_an_expectation_stays_where_it_began(folder: Path) -> None:
    assert Pace(folder, expected_fit_seconds=[None]).now() == AttemptProgress(FITTING, "fitting")


def test_a_silent_fit_is_estimated_by_the_time_that_earlier_ones_took(folder: Path) -> None:
    pace = Pace(folder, expected_fit_seconds=[0.4])
    assert pace.now() == AttemptProgress(FITTING, "fitting", estimated=True)
    seen: list[AttemptProgress | None] = []

    def full() -> bool:
        seen.append(pace.now())
        return seen[-1] == AttemptProgress(FITTING + 28, "fitting", estimated=True)

    eventually(full, what="the estimate stops short of the end")
    percents = [progress.percent for progress in seen if progress]
    assert percents == sorted(percents)
    assert len(set(percents)) > 2
    assert percents[-1] < EVALUATING


def test_what_a_computation_measures_itself_is_no_estimate(folder: Path) -> None:
    say(folder, "fitting", 35, measured=True)
    assert Pace(folder, expected_fit_seconds=[0.001]).now() == AttemptProgress(35, "fitting")


def test_after_the_fit_nothing_is_estimated_any_more(folder: Path) -> None:
    pace = Pace(folder, expected_fit_seconds=[0.001])
    pace.now()
    say(folder, "evaluating", EVALUATING)
    assert pace.now() == AttemptProgress(EVALUATING, "evaluating")


def test_of_several_models_each_has_its_share_of_the_percentage_and_its_own_estimate(tmp_path: Path) -> None:
    pace = Pace(tmp_path, expected_fit_seconds=[None, 1_000_000.0, None])
    seen = []
    for number in (1, 2, 3):
        for step, percent in (("preparing", PREPARING), ("fitting", FITTING), ("explaining", STORING - 1)):
            say(tmp_path, step, percent, turn=Turn(number, 3))
            seen.append(pace.now())
    told = [each for each in seen if each is not None]
    assert [each.step for each in told[3:6]] == ["preparing (2 of 3)", "fitting (2 of 3)", "explaining (2 of 3)"]
    assert [each.percent for each in told] == [10, 13, 38, 38, 41, 66, 66, 70, 94]
    assert [each.estimated for each in told] == [False, False, False, False, True, False, False, False, False]


def test_a_job_whose_time_cannot_be_guessed_is_done_all_the_same(installation: Site) -> None:
    worker = installation.start_worker()
    installation.until(installation.train(), State.SUCCEEDED)
    with installation.database.write() as session:
        session.execute(update(RegistryRow).values(parameters=["not", "as", "they", "are", "written"]))
    assert installation.until(installation.train(), State.SUCCEEDED).attempt == 1
    assert "fit_not_estimated" in worker.log
