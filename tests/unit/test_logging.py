"""What the log holds, and what it is kept free of."""

import subprocess
import sys

LOOK = """
from sqlalchemy import create_engine
from shared.logging import configure_logging
from shared.migration import schema_state

configure_logging("INFO")
with create_engine("sqlite://").connect() as connection:
    print(schema_state(connection).name)
"""


def test_looking_at_the_schema_leaves_no_line_in_the_log() -> None:
    # A process of its own, because logging is configured for a whole process.
    looked = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60)
    assert looked.stdout == "EMPTY\n"
    assert looked.stderr == ""
