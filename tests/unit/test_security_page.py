"""What docs/security.md says of keys and of what was tried, against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.accounts.permissions import Role
from tests.api.test_access import LEAST_ROLE, PUBLIC, listed
from tests.api.test_teams import CASES, RANKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


SOURCES = [path for package in ("api", "shared", "worker", "cli") for path in (ROOT / package).rglob("*.py")]
CALL = re.compile(r"(?<!def )\bderived_key\(\w+(?:\.\w+)*, (?:\"([^\"]+)\"|(\w+))\)")


def purposes() -> Iterator[str]:
    """What keys are derived for, anywhere in the product: as a text, or as a constant of the module that has it."""
    for path in SOURCES:
        source = path.read_text()
        for text, name in CALL.findall(source):
            yield text or re.findall(rf"^{name} = \"([^\"]+)\"$", source, re.MULTILINE)[0]


def test_no_derived_key_is_overlooked() -> None:
    calls = (re.findall(r"(?<!def )\bderived_key\(", path.read_text()) for path in SOURCES)
    assert len(list(purposes())) == len([call for found in calls for call in found])


@pytest.mark.asvs("11.1.2")
def test_every_derived_key_stands_in_the_table_with_what_it_is_for() -> None:
    (section,) = re.findall(r"^## Keys and algorithms\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| for `([^`]+)` \| [^|]+ \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
    assert len(told) >= 3
    assert set(told) == set(purposes())
    assert {"artifact key", "export key"} <= set(re.findall(r"^\| ([a-z]+ key) \|", section, re.MULTILINE))


# Without a key, with one that is nobody's, and with one of each role; what is open to all is asked in three ways.
CREDENTIALS, WAYS = 2 + len(Role), 3
# Each role of another team but admins, who see all, asks for what is the team's and for what is not there.
STRANGERS = 2 * (len(Role) - 1)


def test_no_more_is_said_of_the_matrix_than_the_tests_ask() -> None:
    by_roles = len(LEAST_ROLE) * CREDENTIALS + len(listed(PUBLIC)) * WAYS
    by_owners = sum(STRANGERS + len(RANKS) - RANKS.index(case.least) for case in CASES)
    said = re.search(r"(\d+) requests by roles, (\d+) by owners", PAGE)
    assert said is not None
    assert int(said[1]) <= by_roles
    assert int(said[2]) <= by_owners
