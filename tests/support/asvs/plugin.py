"""Writes what came of the marked tests into the file that `--asvs-results` names: `-p tests.support.asvs.plugin`."""

import json
from pathlib import Path

import pytest

_OPTION = "--asvs-results"
_RESULTS = pytest.StashKey[dict[str, str]]()
# Of several cases of a test, and of its beginning, itself and its end, the worst counts.
_WORST_FIRST = ("failed", "skipped", "passed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(_OPTION, type=Path, required=True, help="the file for what came of the tests")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has come of anything yet."""
    config.stash[_RESULTS] = {}
    config.pluginmanager.register(_Recorder(config), "asvs-recorder")


class _Recorder:
    """Where tests run in several processes, the first of them hears of all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a case under the name of its test."""
        if report.when != "call" and report.passed:
            return
        found, name = self._config.stash[_RESULTS], report.nodeid.partition("[")[0]
        found[name] = min(found.get(name, "passed"), report.outcome, key=_WORST_FIRST.index)

    def pytest_sessionfinish(self) -> None:
        """Write all, once."""
        if not hasattr(self._config, "workerinput"):
            file: Path = self._config.getoption(_OPTION)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(self._config.stash[_RESULTS], indent=1, sort_keys=True) + "\n")
