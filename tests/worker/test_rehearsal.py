"""What a fork server rehearses is there for all that it forks."""

import json
import subprocess
import sys

from shared.sandbox.client import environment
from tests.support.processes import ROOT

_PROGRAM = """
import json, os, sys
from worker.computation import rehearse
from tests.support.training_tables import numeric_classes, trained
modules, threads = set(sys.modules), os.listdir("/proc/self/task")
rehearse()
for estimator in ("ensemble.RandomForestClassifier", "naive_bayes.GaussianNB", "svm.SVC"):
    trained(estimator, numeric_classes())
started = set(os.listdir("/proc/self/task")) - set(threads)
print(json.dumps({"modules": sorted(set(sys.modules) - modules), "threads": sorted(started)}))
"""


def test_a_training_imports_nothing_more_and_starts_no_thread() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == {"modules": [], "threads": []}
