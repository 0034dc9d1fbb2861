"""The page on reliability lists the faults and the invariants that there are."""

import re

from tests.support.chaos import faults
from tests.support.chaos.checker import INVARIANTS
from tests.support.chaos.rows import ROWS
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()


def test_the_page_lists_every_fault_and_says_which_are_drawn_at_random() -> None:
    listed = re.findall(r"^\| (\d+) \| (.+) \| (drawn)? *\|$", PAGE, re.MULTILINE)
    assert {int(number): what for number, what, _ in listed} == ROWS
    assert {int(number) for number, _, drawn in listed if drawn} == faults.ROWS


def test_the_page_lists_every_invariant() -> None:
    assert re.findall(r"^\| (I\d+) \|", PAGE, re.MULTILINE) == list(INVARIANTS)
