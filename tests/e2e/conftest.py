"""Fixtures of the tests that use the platform as people do."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def without_counting(uncounted: None) -> None:
    """All that they start has tests of its own."""
