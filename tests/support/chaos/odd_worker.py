"""A worker whose computations may misbehave: `python -m tests.support.chaos.odd_worker`."""

import os

from tests.support.processes import ROOT
from worker import runtime
from worker.__main__ import main

MODULE = "tests.support.chaos.odd_worker"
# What its environment needs: the tests are not an installed package.
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}

if __name__ == "__main__":
    runtime.COMPUTATION = "tests.support.chaos.odd_computation:main"
    os.environ |= ENVIRONMENT
    main()
