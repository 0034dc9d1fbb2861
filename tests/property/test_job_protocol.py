"""The job protocol against a model of it, on both databases, and against two ways to break it.

`MLMINI_HYPOTHESIS_PROFILE=long` searches for a quarter of an hour.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import ColumnElement, and_

from shared.database import Database
from shared.jobs import lifecycle, retries
from shared.jobs import rescue as rescuing
from shared.jobs.lifecycle import Claim
from shared.jobs.rows import JobRow
from shared.jobs.states import State
from tests.support.job_machine import on

# Other tests run the same lines once; to count them here takes as long as all the rest of it.
pytestmark = pytest.mark.no_cover

# The fixture gives one migrated database; the machine empties it before each example.
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))
PROFILES = {
    "default": settings(COMMON, max_examples=60, stateful_step_count=40),
    "long": settings(COMMON, max_examples=1000, stateful_step_count=60),
}
EXAMPLES = PROFILES[os.environ.get("MLMINI_HYPOTHESIS_PROFILE", "default")]
# No time is spent on making a counter-example small that nobody will read.
MUTANTS = settings(COMMON, max_examples=1000, stateful_step_count=40, phases=[Phase.generate], database=None)


@pytest.mark.timeout(3600)
def test_the_protocol_does_what_its_model_says(database: Database) -> None:
    run_state_machine_as_test(on(database), settings=EXAMPLES)


def without_epoch(claim: Claim) -> ColumnElement[bool]:
    """A guard by state alone."""
    return and_(JobRow.id == claim.job_id, JobRow.status == State.RUNNING)


def without_cancel(target: ColumnElement[str]) -> ColumnElement[str]:
    """A rescue that forgets that a cancel was requested."""
    return target


def remove_the_epoch_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "mine", without_epoch)
    monkeypatch.setattr(retries, "mine", without_epoch)


def remove_the_cancel_branch_of_rescue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescuing, "unless_cancelled", without_cancel)


# Each with a seed that finds it soon: always the same search, which takes a few seconds.
@pytest.mark.parametrize(("mutate", "number"), [(remove_the_epoch_guard, 9), (remove_the_cancel_branch_of_rescue, 1)])
def test_a_broken_protocol_is_found_out(
    database: Database, monkeypatch: pytest.MonkeyPatch, mutate: Callable[[pytest.MonkeyPatch], None], number: int
) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(seed(number)(on(database)), settings=MUTANTS)
