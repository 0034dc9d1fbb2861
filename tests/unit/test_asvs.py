"""The list of security requirements, the marks of tests, and the page that tells of both."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.asvs import plugin
from tests.support.asvs.marks import ROOT, MarkedTest, Marks, gaps, marks_below
from tests.support.asvs.page import PAGE, page, table
from tests.support.asvs.requirements import Decision, Requirement, read_requirements
from tests.support.asvs.score import Result, judged, summary

# How many of each chapter are of level 1, and of level 2.
COUNTS = {
    chapter: (int(first), int(second))
    for chapter, first, second in re.findall(
        r"(V\d+) (\d+)/(\d+)",
        "V1 8/19, V2 4/7, V3 8/11, V4 2/8, V5 4/5, V6 13/22, V7 6/12, V8 4/3, V9 4/3, V10 5/24, V11 3/11, V12 3/6, "
        "V13 1/12, V14 2/7, V15 3/10, V16 0/16, V17 0/7",
    )
}
ONE = Requirement("1.2.4", 1, "V1 One", "Queries have parameters.")
OTHER = Requirement("2.1.3", 2, "V2 Other", "Limits are told.", Decision.NOT_MET, "They are not.")
SHOWS = MarkedTest("tests/unit/test_a.py", "test_it_is_so")


@pytest.fixture(scope="module")
def marks() -> Marks:
    """The marks of all tests."""
    return marks_below(ROOT / "tests")


def test_the_list_has_every_requirement_of_both_levels_once() -> None:
    found = read_requirements()
    counts = Counter((each.chapter.split()[0], each.level) for each in found)
    assert {chapter: (counts[chapter, 1], counts[chapter, 2]) for chapter in COUNTS} == COUNTS
    assert len({each.number for each in found}) == len(found) == 70 + 183
    order = [[int(part) for part in each.number.split(".")] for each in found]
    assert order == sorted(order)


def test_every_requirement_has_either_a_test_or_a_decision(marks: Marks) -> None:
    assert gaps(read_requirements(), marks) == []


def test_the_page_is_the_one_that_list_and_marks_make(marks: Marks) -> None:
    hint = "`python -m tests.support.asvs --write` makes it anew"
    assert PAGE.read_text(encoding="utf-8") == page(judged(read_requirements(), marks, None)), hint


def test_a_mark_or_a_decision_that_is_wrong_is_told() -> None:
    assert gaps([ONE, OTHER], {"1.2.4": [SHOWS]}) == []
    assert gaps([ONE, OTHER], {}) == ["1.2.4 has neither a test nor a decision."]
    unknown, doubled = gaps([ONE, OTHER], {"1.2.4": [SHOWS], "9.9.9": [SHOWS], "2.1.3": [SHOWS]})
    assert "marked with 9.9.9, which no requirement has" in unknown
    assert "2.1.3 has tests, such as test_it_is_so, and the decision not_met" in doubled


@pytest.mark.parametrize(
    "entry",
    [
        '{ level = 3, words = "So." }',
        "{ level = 1 }",
        '{ level = 1, words = "No end" }',
        '{ level = 1, words = "So.", not_met = "" }',
        '{ level = 1, words = "So.", met = "By us." }',
        '{ level = 1, words = "So.", not_met = "No.", decided = "Yes." }',
    ],
)
def test_an_entry_of_another_form_is_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / "list.toml").write_text(f'["V1 One"]\n"1.1.1" = {entry}\n')
    with pytest.raises(ValueError, match=r"^1\.1\.1: "):
        read_requirements(tmp_path / "list.toml")


def test_an_entry_in_another_chapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text('["V2 Two"]\n"1.1.1" = { level = 1, words = "So." }\n')
    with pytest.raises(ValueError, match="does not belong"):
        read_requirements(tmp_path / "list.toml")


def test_a_mark_has_its_numbers_in_quotes(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.asvs('1.2.4', {})\nasync def test_a():\n    pass\n"
    (tmp_path / "test_a.py").write_text(source.format('"2.1.3"'))
    here = [MarkedTest("test_a.py", "test_a")]
    assert marks_below(tmp_path, root=tmp_path) == {"1.2.4": here, "2.1.3": here}
    for wrong in ("NUMBERS", "*numbers", "8.1"):
        (tmp_path / "test_a.py").write_text(source.format(wrong))
        with pytest.raises(TypeError, match=r"test_a\.py:2"):
            marks_below(tmp_path, root=tmp_path)


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        (None, Result.PASSED),
        ({"tests/unit/test_a.py::test_it_is_so": "passed"}, Result.PASSED),
        ({"tests/unit/test_a.py::test_it_is_so": "skipped"}, Result.NOT_RUN),
        ({"tests/unit/test_a.py::test_it_is_so": "failed"}, Result.FAILED),
        ({}, Result.NOT_RUN),
    ],
)
def test_a_requirement_is_met_when_all_its_tests_have_passed(outcomes: dict[str, str] | None, result: Result) -> None:
    verdicts = judged([ONE, OTHER], {"1.2.4": [SHOWS]}, outcomes)
    assert [verdict.result for verdict in verdicts] == [result, Result.NOT_MET]
    met = 1 if result is Result.PASSED else 0
    assert summary(verdicts) == f"L1: met {met} of 1 applicable; L2: met 0 of 1 applicable."
    assert f"1.2.4    L1  {result} " in table(verdicts)
    assert "They are not." in table(verdicts)


def test_what_does_not_apply_is_not_counted() -> None:
    verdicts = judged([replace(OTHER, decision=Decision.NOT_APPLICABLE)], {}, None)
    assert summary(verdicts) == "L1: met 0 of 0 applicable; L2: met 0 of 0 applicable."


CASES = """
import pytest

@pytest.mark.parametrize("case", [1, 2])
def test_fails_once(case):
    assert case == 1

@pytest.fixture
def broken():
    raise RuntimeError

def test_passes(): pass
def test_has_a_broken_fixture(broken): pass
@pytest.mark.parametrize("case", [1, 2])
def test_is_skipped_once(case):
    if case == 1: pytest.skip("here")
"""


@pytest.mark.parametrize(
    "processes",
    [pytest.param([], id="in one process"), pytest.param(["-n", "2"], id="in two", marks=pytest.mark.thorough)],
)
def test_a_run_writes_what_came_of_each_test(tmp_path: Path, processes: list[str]) -> None:
    (tmp_path / "test_cases.py").write_text(CASES)
    file = tmp_path / "folder" / "results.json"
    options = ["-q", "-c", "none.ini", "--rootdir", str(tmp_path), "-p", plugin.__name__, "--asvs-results", str(file)]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", *options, *processes, "test_cases.py"]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False, capture_output=True, timeout=60)
    results = json.loads(file.read_text())
    assert {re.sub(r"^.*::", "", name): outcome for name, outcome in results.items()} == {
        "test_fails_once": "failed",
        "test_has_a_broken_fixture": "failed",
        "test_is_skipped_once": "skipped",
        "test_passes": "passed",
    }
    assert "test_cases.py::test_passes" in results
