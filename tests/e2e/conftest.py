"""Fixtures of the tests that use the platform as people do."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium, find_chromium

# Read here, before `clean_environment` takes it away.
BROWSER = os.environ.get("MLMINI_TEST_BROWSER")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; where there is none, the test is skipped, unless one is required."""
    if find_chromium() is None:
        said = "there is no Chromium on the path; on Debian, `apt-get install chromium` brings it"
        if BROWSER == "required":
            pytest.fail(f"MLMINI_TEST_BROWSER=required, but {said}")
        pytest.skip(said)
    with chromium() as browser:
        yield browser
