"""Installations for tests with real worker processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from tests.support.servers import Valkey
from tests.support.site import FAST, Site, site
from tests.support.stack import Stack


@pytest.fixture
def fast_settings(tmp_path: Path, own_valkey: Valkey, stack: Stack) -> Iterator[Settings]:
    """Settings on the chosen stack, with short leases."""
    with stack.settings(tmp_path / "home") as settings:
        yield settings.model_copy(update={"redis_url": SecretStr(own_valkey.url), **FAST})


@pytest.fixture
def installation(fast_settings: Settings, own_valkey: Valkey, tmp_path: Path) -> Iterator[Site]:
    """An installation without workers yet."""
    with site(fast_settings, own_valkey, tmp_path) as built:
        yield built
