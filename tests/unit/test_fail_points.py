"""The places at which tests let a process fail."""

import errno
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import DatabaseUnavailable, StoreUnavailable, WrongSettings
from shared.fail_points import POINTS, VARIABLE, fail_point, read_faults

ROOT = Path(__file__).parents[2]
PROGRAM = "from shared.fail_points import fail_point; fail_point('put.half'); print('went on')"


def met(fault: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a process that comes to `put.half`."""
    environment = {"PATH": "/usr/bin:/bin", VARIABLE: f"put.half={fault}"}
    program = [sys.executable, "-c", PROGRAM]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_the_variable_nothing_happens() -> None:
    for point in POINTS:
        fail_point(point)


def test_a_process_is_killed_at_its_point() -> None:
    assert met("kill9").returncode == -signal.SIGKILL


def test_an_armed_fault_happens_once(tmp_path: Path) -> None:
    arm = tmp_path / "arm"
    arm.touch()
    assert met(f"kill9@{arm}").returncode == -signal.SIGKILL
    assert not arm.exists()
    assert met(f"kill9@{arm}").stdout == "went on\n"


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("raise:outage", DatabaseUnavailable),
        ("raise:store", StoreUnavailable),
        ("raise:memory", MemoryError),
        ("raise", RuntimeError),
        ("enospc", OSError),
    ],
)
def test_an_error_is_raised_at_its_point(action: str, error: type[Exception]) -> None:
    (fault,) = read_faults(f"commit.after={action}")["commit.after"]
    with pytest.raises(error) as raised:
        fault.happen()
    assert action != "enospc" or getattr(raised.value, "errno", None) == errno.ENOSPC


@pytest.mark.parametrize("text", ["nowhere=kill9", "put.half", "put.half=explode", "put.half=sleep:long", "=kill9"])
def test_a_fault_that_could_never_happen_is_refused(text: str) -> None:
    with pytest.raises(WrongSettings, match=VARIABLE):
        read_faults(text)


def test_several_faults_are_read_with_their_files() -> None:
    faults = read_faults("put.half=sleep:1.5@/a/b; put.half=kill9;claim.after=stop;")
    assert [(fault.action, fault.argument, fault.file) for fault in faults["put.half"]] == [
        ("sleep", "1.5", Path("/a/b")),
        ("kill9", "", None),
    ]
    assert set(faults) == {"put.half", "claim.after"}


def test_every_point_is_in_the_code() -> None:
    sources = "".join(
        path.read_text() for folder in ("api", "shared", "worker") for path in (ROOT / folder).rglob("*.py")
    )
    assert set(re.findall(r'fail_point\("([a-z_.]+)"\)', sources)) == set(POINTS)
