"""What several files of unit tests have in common."""

import sys

import pytest

from cli.app import main
from tests.support.command_line import Ended, Verb


@pytest.fixture
def mlmini(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Verb:
    """Runs a verb in this process."""

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["mlmini", *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capfd.readouterr()
        return Ended(int(end.value.code or 0), shown.out, shown.err)

    return run
