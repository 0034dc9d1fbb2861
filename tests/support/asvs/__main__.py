"""The score: `python -m tests.support.asvs` runs the marked tests and prints the table.

The exit status is 1 when a test fails or was not run, or when a requirement has neither a test nor a decision.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.support.asvs import plugin
from tests.support.asvs.marks import ROOT, Marks, gaps, marks_below
from tests.support.asvs.page import PAGE, page, table, unmet
from tests.support.asvs.requirements import read_requirements
from tests.support.asvs.score import Result, judged, summary

RESULTS = ROOT / "build" / "asvs.json"


def main() -> None:
    """Write the page, or run the tests and print the table."""
    wanted = _arguments()
    requirements, marks = read_requirements(), marks_below(ROOT / "tests")
    wrong = gaps(requirements, marks)
    if wanted.write:
        PAGE.write_text(page(judged(requirements, marks, None)), encoding="utf-8")
        sys.exit("\n".join(wrong) or None)
    if wanted.results is None:
        _run(marks, wanted.pytest_args)
    verdicts = judged(requirements, marks, json.loads((wanted.results or RESULTS).read_text(encoding="utf-8")))
    _say(table(verdicts))
    _say("Not met:")
    _say(table(unmet(verdicts)))
    bad = [each for each in verdicts if each.result in {Result.FAILED, Result.NOT_RUN}]
    if bad:
        _say("Not shown in this run:")
        _say(table(bad))
    _say(summary(verdicts))
    for sentence in wrong:
        _say(sentence)
    sys.exit(1 if bad or wrong else 0)


def _run(marks: Marks, pytest_args: Iterable[str]) -> None:
    """Run the marked tests; what failed stands in the results, too."""
    tests = sorted({f"{test.file}::{test.name}" for tests in marks.values() for test in tests})
    RESULTS.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", plugin.__name__, "--asvs-results", str(RESULTS)]
    subprocess.run([*command, *pytest_args, *tests], cwd=ROOT, check=False)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.asvs", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/asvs.md, and run nothing")
    parser.add_argument("--from", dest="results", type=Path, help="take the results of a run before, and run nothing")
    parser.add_argument("pytest_args", nargs="*", help="options for pytest, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
