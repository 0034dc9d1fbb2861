"""Which tests reach which line: found by running each file of tests once, and kept until it or the product changes."""

import hashlib
import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

import coverage
import pytest

from tests.support.mutants.child import run_pytest
from tests.support.mutants.copy import Copy

# After that, no further test of a file begins; what those would reach stays unknown.
FILE_SECONDS = 240
_MEASURED = ("api", "cli", "shared", "worker")
_OTHER = ("migrations", "tests/support", "tests/conftest.py", "pyproject.toml")
_SPLIT = "|"


@dataclass
class Reach:
    """What one file of tests reaches: lines by test, and those that only its other processes and imports reach."""

    file: str
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    elsewhere: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was kept."""
        kept = json.loads(path.read_text())
        kept["lines"] = {
            name: {int(line): [kept["file"] + test for test in tests] for line, tests in lines.items()}
            for name, lines in kept["lines"].items()
        }
        return cls(**kept)

    def keep(self, path: Path) -> None:
        """Write it down. The names of tests all begin with the file's."""
        lines = {
            name: {line: [test.removeprefix(self.file) for test in tests] for line, tests in found.items()}
            for name, found in self.lines.items()
        }
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(vars(self) | {"lines": lines}))
        draft.rename(path)


class _Watch:
    """Tells the coverage measurement which test runs, and how long each took."""

    def __init__(self, measured: coverage.Coverage, results: Path) -> None:
        self._measured = measured
        self._results = results
        self._seconds: dict[str, float] = {}
        self._failed: set[str] = set()
        self._end = time.monotonic() + FILE_SECONDS

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count the lines for this test."""
        self._measured.switch_context(item.nodeid)
        ended = yield
        self._measured.switch_context("")
        if time.monotonic() > self._end:
            item.session.shouldstop = "the time is over"
        return ended

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what a test takes. What fails or is skipped without a mutant says nothing about one."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0) + report.duration
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write everything down."""
        self._measured.stop()
        self._measured.save()
        self._results.write_text(json.dumps({test: s for test, s in self._seconds.items() if test not in self._failed}))


def reaches(copy: Copy, files: list[str], folder: Path) -> Iterator[Reach]:
    """What each file of tests reaches of the product."""
    folder.mkdir(parents=True, exist_ok=True)
    product = "".join(copy.digest(path) for path in (*_MEASURED, *_OTHER))
    for file in files:
        facts = f"{file} {copy.digest(file)} {product}"
        kept = folder / f"{hashlib.sha256(facts.encode()).hexdigest()}.json"
        if not kept.exists():
            _measure(copy, file, folder).keep(kept)
        yield Reach.read(kept)


def _measure(copy: Copy, file: str, folder: Path) -> Reach:
    place = copy.folder / "measured"
    place.mkdir()
    configuration = place / "coveragerc"
    configuration.write_text(_configuration(copy, file, place))
    results = place / "results"
    watch = partial(_start, configuration, results)
    log = folder / "last.log"
    status = run_pytest(copy, ["--maxfail=1000", file], seconds=2 * FILE_SECONDS, log=log, prepared=watch)
    if status is not None and not results.exists():
        raise RuntimeError(f"the tests of {file} cannot be run: {log} has what pytest said")
    reach = Reach(file)
    if results.exists():
        reach.seconds = json.loads(results.read_text())
        _read(reach, copy, place)
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    return reach


def _configuration(copy: Copy, file: str, place: Path) -> str:
    """Other processes count their lines too, for the file; those of the tests' own process are counted by test."""
    settings = {
        "source_dirs": ",".join(str(copy.root / name) for name in _MEASURED if (copy.root / name).exists()),
        "parallel": "true",
        "patch": "subprocess",
        "concurrency": "thread,multiprocessing",
        "context": file,
        "data_file": place / "data",
        "disable_warnings": "no-data-collected",
    }
    return "\n".join(["[run]", *(f"{name} = {value}" for name, value in settings.items())])


def _start(configuration: Path, results: Path) -> list[object]:
    measured = coverage.Coverage(config_file=str(configuration))
    measured.start()
    return [_Watch(measured, results)]


def _read(reach: Reach, copy: Copy, place: Path) -> None:
    collected = coverage.Coverage(config_file=str(place / "coveragerc"))
    collected.combine([str(place)])
    data = collected.get_data()
    for path in data.measured_files():
        name = str(Path(path).relative_to(copy.root))
        for line, contexts in data.contexts_by_lineno(path).items():
            tests = [test for context in contexts if (test := context.partition(_SPLIT)[2]) in reach.seconds]
            if tests:
                reach.lines.setdefault(name, {})[line] = sorted(tests)
            if any(not context.partition(_SPLIT)[2] for context in contexts):
                reach.elsewhere.setdefault(name, []).append(line)
