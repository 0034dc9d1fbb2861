"""A plugin of pytest that writes down which rows of the fault list each collected test shows.

ROWS_FILE=rows.json python -m pytest --collect-only -q -p tests.support.chaos.collected tests/chaos
"""

import json
import os
from pathlib import Path

import pytest

VARIABLE = "ROWS_FILE"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write a JSON object: the tests that are not skipped, and their rows."""
    tests = [item for item in session.items if item.get_closest_marker("skip") is None]
    rows = {item.nodeid: [row for mark in item.iter_markers("rows") for row in mark.args] for item in tests}
    Path(os.environ[VARIABLE]).write_text(json.dumps(rows))
