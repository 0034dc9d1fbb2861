"""A worker whose removals have to be quick: `python -m tests.support.hasty_worker`."""

from shared.registry import orphans
from tests.support.processes import ROOT
from worker.__main__ import main

MODULE = "tests.support.hasty_worker"
# What its environment needs: the tests are not an installed package.
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
CALL_SECONDS = 1

if __name__ == "__main__":
    orphans.CALL_SECONDS = CALL_SECONDS
    main()
