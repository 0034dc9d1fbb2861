"""Installations for tests with real worker processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from tests.support.servers import Valkey, running
from tests.support.site import FAST, Site, site


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A Valkey that the test may stop and empty."""
    server = Valkey()
    with running(server):
        yield server


@pytest.fixture
def fast_settings(tmp_path: Path, own_valkey: Valkey, sqlite_url: str) -> Settings:
    """SQLite and a local store, with short leases."""
    return Settings(
        home=tmp_path / "home", redis_url=SecretStr(own_valkey.url), database_url=SecretStr(sqlite_url), **FAST
    )


@pytest.fixture
def installation(fast_settings: Settings, own_valkey: Valkey, tmp_path: Path) -> Iterator[Site]:
    """An installation without workers yet."""
    with site(fast_settings, own_valkey, tmp_path) as built:
        yield built
