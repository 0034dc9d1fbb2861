"""The reader's fork server has all that its children need."""

import json
import subprocess
import sys

from shared.sandbox.client import environment
from tests.support.processes import ROOT
from tests.support.tables import IRIS

_PROGRAM = """
import json, sys
from pathlib import Path
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
modules = set(sys.modules)
inspect(Path(sys.argv[1]), TableLimits())
print(json.dumps(sorted(set(sys.modules) - modules)))
"""


def test_a_reading_imports_nothing_more() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(IRIS)],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(shown.stdout) == []
