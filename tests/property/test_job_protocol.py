"""The job protocol against a model of it, on both databases, and against ways to break it.

`MLMINI_HYPOTHESIS_PROFILE=long` looks at 10,000 examples on each.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import IntegrityError

from shared import counters
from shared.database import Database
from shared.jobs import acceptance, claims, delivery, endings, logs, rescue
from shared.registry import versions
from tests.support.job_machine import on
from tests.support.mutation import mutated

# Other tests run the same lines once; to count them here takes as long as all the rest of it.
pytestmark = pytest.mark.no_cover

# The fixture gives one migrated database; the machine empties it before each example.
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))
PROFILES = {
    "default": settings(COMMON, max_examples=30, stateful_step_count=40),
    "long": settings(COMMON, max_examples=10_000, stateful_step_count=40),
}
EXAMPLES = PROFILES[os.environ.get("MLMINI_HYPOTHESIS_PROFILE", "default")]
# No time is spent on making a counter-example small that nobody will read.
MUTANTS = settings(COMMON, max_examples=1000, stateful_step_count=40, phases=[Phase.generate], database=None)


@pytest.mark.timeout(6 * 3600)
def test_the_protocol_does_what_its_model_says(database: Database) -> None:
    run_state_machine_as_test(on(database), settings=EXAMPLES)


# One guard or one step taken out of the protocol, each with a seed that finds it soon: always the same search.
MUTATIONS: dict[str, tuple[Callable[..., Any], str, str, int]] = {
    "an attempt writes whatever its epoch is": (claims._my_attempt, "JOBS.c.epoch ==", "JOBS.c.epoch >=", 3),
    "a job that runs is claimed again": (claims._free, "JOBS.c.status == State.QUEUED,", "", 1),
    "a job is claimed before its time": (claims._free, "JOBS.c.run_at <= Now(),", "", 15),
    "a claim keeps the epoch": (claims._claim, "epoch=JOBS.c.epoch + 1,", "", 0),
    "a cancelled job succeeds": (claims._succeed, ", JOBS.c.cancel_requested_at.is_(None))", ")", 5),
    "a version is taken without owning the job": (versions.take_model_version, "is None:", "is True:", 0),
    "two attempts take the same version": (counters.raise_counter, "count + 1", "count", 0),
    "a rescue does not wait for the lease": (rescue.rescue, "JOBS.c.lease_until < Now())", "JOBS.c.id == job_id)", 3),
    "a rescue keeps the epoch": (rescue.rescue, "epoch=JOBS.c.epoch + 1,", "", 3),
    "a rescue counts no crash": (rescue.rescue, "JOBS.c.crash_count + 1)", "JOBS.c.crash_count)", 3),
    "a job shows what a lost attempt used": (rescue.rescue, "usage=None,", "", 3),
    "an end forgets that a cancel was asked for": (
        endings.state_unless_cancelled,
        "State.CANCELLED.value",
        "target",
        4,
    ),
    "a crash is not counted": (endings.crash, "JOBS.c.crash_count + 1", "JOBS.c.crash_count", 3),
    "a passing failure is not counted": (
        endings.retry,
        "transient_count=JOBS.c.transient_count + 1",
        "transient_count=JOBS.c.transient_count",
        9,
    ),
    "a cancel of a running job is not kept": (
        acceptance.cancel,
        "func.coalesce(JobRow.cancel_requested_at, Now())",
        "None",
        4,
    ),
    "a key makes two jobs": (acceptance.give_key, "not _take_key(session, key, job_id)", "False", 0),
    "the relay tells nobody": (delivery.take_unpublished, "in candidates if", "in [] if", 0),
    "the relay tells twice": (delivery.take_unpublished, "last_published_at=Now()", "last_published_at=None", 0),
    "the queue has no order": (delivery.due, ".order_by(*ORDER)", ".order_by(JobRow.priority.desc())", 0),
    "an attempt that lost its job adds to its log": (logs.append, "is not None:", "is not True:", 0),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_protocol_is_found_out(sqlite_url: str, name: str) -> None:
    function, before, after, number = MUTATIONS[name]
    database = Database(sqlite_url)
    with mutated(function, before, after), pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(seed(number)(on(database)), settings=MUTANTS)
    database.close()
