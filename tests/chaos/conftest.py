"""The servers that the installations of these tests stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.buckets import Buckets
from tests.support.chaos.backends import Backends
from tests.support.chaos.scenario import Scenario
from tests.support.servers import S3, PostgreSQL


@pytest.fixture(scope="session")
def backends(sqlite_template: Path, postgres: PostgreSQL, s3_server: S3, buckets: Buckets) -> Backends:
    """The servers of the test run; a test may stop them, but leaves them running."""
    return Backends(sqlite_template, postgres, s3_server, buckets)


@pytest.fixture(autouse=True)
def healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails leaves no fault to those after it that use the same installation."""
    stage: Scenario | None = request.getfixturevalue("stage") if "stage" in request.fixturenames else None
    yield
    if stage is not None:
        stage.cluster.restore()
        stage.cluster.revive()
