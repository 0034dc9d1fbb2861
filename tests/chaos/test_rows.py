"""The fault list has a test for each of its rows."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.support.chaos import collected
from tests.support.chaos.rows import ROWS
from tests.support.processes import ROOT


def test_every_row_of_the_fault_list_is_shown_by_a_test(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", collected.__name__, "tests/chaos"],
        cwd=ROOT,
        env=os.environ | {collected.VARIABLE: str(file)},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=150,
    )
    tests: dict[int, list[str]] = defaultdict(list)
    for name, rows in json.loads(file.read_text()).items():
        for row in rows:
            tests[row].append(name)
    assert sorted(tests) == sorted(ROWS)
    assert len(ROWS) == 35
