"""A training from the worker to its last line, with the lines of the computing process counted."""

import pytest

from shared.jobs.states import State
from tests.support.counted_worker import ENVIRONMENT, MODULE
from tests.support.site import Site

pytestmark = pytest.mark.any_stack


def test_what_a_computation_does_is_counted_too(installation: Site) -> None:
    installation.forked = False
    installation.launch_worker(MODULE, **ENVIRONMENT)
    trained = installation.until(installation.train(), State.SUCCEEDED)
    assert trained.result is not None
    refused = installation.until(installation.train(target_column="nobody"), State.FAILED)
    assert refused.error is not None
