"""The guard, which ends the parts with the launcher where the kernel does not."""

import subprocess
import sys

import psutil

from cli.launcher.orphan_guard import Guard
from tests.support.launcher import all_gone
from tests.support.waiting import eventually

LAUNCHER = """
import subprocess, sys
from cli.launcher.orphan_guard import Guard
guard = Guard()
part = subprocess.Popen(["sleep", "60"], start_new_session=True)
guard.watch(part.pid)
print(part.pid, flush=True)
part.wait()
"""


def test_the_guard_ends_the_parts_of_a_launcher_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", LAUNCHER], stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        part = psutil.Process(int(launcher.stdout.readline()))
        launcher.kill()
    eventually(lambda: all_gone([part]))


def test_the_guard_is_gone_once_it_is_closed() -> None:
    guard = Guard()
    guard.watch(2**22 + 1)
    guard.close()
    assert guard._process.returncode == 0
