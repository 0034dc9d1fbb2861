"""Private folders of processes that start, live and die beside each other."""

import subprocess
import sys
from pathlib import Path

from shared.scratch import Scratch, sweep_scratch

STARTS = """
import pathlib, sys
from shared.scratch import Scratch
for _ in range(300):
    scratch = Scratch(pathlib.Path(sys.argv[1]))
    assert scratch.folder.is_dir(), "taken away by another start"
    scratch.close()
"""


def test_a_folder_is_private_and_goes_with_its_owner(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    assert scratch.folder.stat().st_mode & 0o077 == 0
    (scratch.folder / "file").touch()
    scratch.close()
    assert not scratch.folder.exists()


def test_a_start_leaves_the_folders_of_the_living_and_sweeps_those_of_the_dead(tmp_path: Path) -> None:
    living = Scratch(tmp_path)
    dead = tmp_path / "process-dead"
    dead.mkdir()
    (dead / "owner.lock").touch()
    died_early = tmp_path / "process-died-early"
    died_early.mkdir()
    other = Scratch(tmp_path)
    assert living.folder.is_dir()
    assert not dead.exists()
    assert not died_early.exists()
    other.close()
    living.close()


def test_a_sweep_takes_the_dead_only_and_counts_them(tmp_path: Path) -> None:
    living = Scratch(tmp_path)
    for name in ("process-1", "process-2"):
        (tmp_path / name).mkdir()
    assert sweep_scratch(tmp_path) == 2
    assert sweep_scratch(tmp_path) == 0
    assert living.folder.is_dir()
    living.close()


def test_processes_that_start_together_never_take_each_others_folders(tmp_path: Path) -> None:
    starting = [subprocess.Popen([sys.executable, "-c", STARTS, str(tmp_path)]) for _ in range(2)]
    assert [each.wait(timeout=60) for each in starting] == [0, 0]
