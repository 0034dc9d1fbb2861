"""What the log holds, and what it is kept free of."""

import json
import re
import subprocess
import sys

import pytest

from shared.logging import LONGEST_TEXT, LONGEST_TRACEBACK

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


LONG = """
import pytest

from shared.logging import LONGEST_TEXT, LONGEST_TRACEBACK, configure_logging, get_logger
import logging

configure_logging("INFO")
log = get_logger("a")
log.info("b" * 60_000, said="begins" + "c" * 60_000 + "ends", short="d" * LONGEST_TEXT)
logging.getLogger("of.a.library").warning("%s", "e" * 60_000)
try:
    raise ValueError("f" * 60_000)
except ValueError:
    log.exception("failed")
"""


def test_no_text_makes_a_line_without_end() -> None:
    looked = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=True, timeout=60)
    first, second, third = (json.loads(line) for line in looked.stderr.splitlines())
    for line in (first, second):
        assert len(line["event"]) == LONGEST_TEXT + 3
    assert (first["said"][:6], first["said"][-4:]) == ("begins", "ends")
    assert first["short"] == "d" * LONGEST_TEXT
    assert len(third["exception"]) == LONGEST_TRACEBACK + 3
    assert third["exception"].startswith("Traceback")


FORGED = """
from shared.logging import configure_logging, get_logger

configure_logging("INFO")
get_logger("a").info("request", path='/a\\n{"event": "forged"}', who="\\r\\n\\x1b[2J\\u2028")
"""


@pytest.mark.asvs("16.2.2", "16.2.4", "16.4.1")
def test_an_event_is_one_line_of_json_with_its_moment_in_utc_whatever_it_holds() -> None:
    looked = subprocess.run([sys.executable, "-c", FORGED], capture_output=True, text=True, check=True, timeout=60)
    (line,) = looked.stderr.splitlines()
    told = json.loads(line)
    assert told["path"] == '/a\n{"event": "forged"}'
    assert (told["event"], told["level"], told["logger"]) == ("request", "info", "a")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", told["timestamp"])
