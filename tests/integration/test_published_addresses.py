"""The addresses that a running platform leaves in its home folder for the command line."""

import json
from pathlib import Path

import pytest

from tests.support.launcher import launched

pytestmark = pytest.mark.usefixtures("uncounted")


def test_addresses_are_there_while_the_platform_runs_and_no_longer(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    file = home / "addresses.json"
    # As a launcher leaves it that was killed.
    file.write_text('{"api": "http://127.0.0.1:1"}')
    with launched(home) as launcher:
        api = launcher.url("Readiness").removesuffix("/readyz")
        assert json.loads(file.read_text()) == {"api": api, "flower": launcher.url("Flower")}
        assert launcher.stop() == 0
    assert not file.exists()
    assert not list(home.glob("addresses*"))
