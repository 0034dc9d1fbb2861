"""A worker whose fork server counts its lines where the test run does: `python -m tests.support.counted_worker`."""

from shared.sandbox import client
from tests.support.processes import ROOT
from worker.__main__ import main

MODULE = "tests.support.counted_worker"
# What its environment needs: the tests are not an installed package.
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
VARIABLE = "COVERAGE_PROCESS_CONFIG"


def count_in_fork_servers() -> tuple[str, ...]:
    """What a fork server may know of its surroundings, and how lines are counted; production does not tell it."""
    return (*client.KNOWN, VARIABLE)


if __name__ == "__main__":
    client.KNOWN, client.WRITES = count_in_fork_servers(), (str(ROOT),)
    main()
