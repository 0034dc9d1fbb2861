"""A worker that is asked to stop while it starts."""

import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT, environment

# The store is away, and the signal comes where an exception would get lost: in the midst of a finalizer.
PROGRAM = """
import os, signal, weakref
import worker.process
from shared.errors import StoreUnavailable
from worker.__main__ import main

def open_runtime(settings):
    weakref.finalize(weakref.WeakSet(), os.kill, os.getpid(), signal.SIGTERM)
    raise StoreUnavailable("The store is away.")

worker.process.Runtime = open_runtime
main()
"""


def test_a_signal_in_a_finalizer_ends_a_waiting_worker_without_a_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment({"MLMINI_HOME": str(tmp_path)}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
