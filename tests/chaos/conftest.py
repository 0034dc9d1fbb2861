"""The servers that the installations of these tests stand on."""

from pathlib import Path

import pytest

from tests.support.buckets import Buckets
from tests.support.chaos.ground import Ground
from tests.support.servers import S3, PostgreSQL


@pytest.fixture(scope="session")
def ground(sqlite_template: Path, postgres: PostgreSQL, s3_server: S3, buckets: Buckets) -> Ground:
    """The servers of the test run; a test may stop them, but leaves them running."""
    return Ground(sqlite_template, postgres, s3_server, buckets)
