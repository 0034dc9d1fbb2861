"""What becomes of each requirement, and of a level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.support.asvs.marks import MarkedTest, Marks
from tests.support.asvs.requirements import LEVELS, Decision, Requirement


class Result(StrEnum):
    """The last column of the table."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"
    DECIDED = "decided"
    NOT_APPLICABLE = "does not apply"
    NOT_MET = "not met"


_OF_DECISIONS = {
    Decision.DECIDED: Result.DECIDED,
    Decision.NOT_APPLICABLE: Result.NOT_APPLICABLE,
    Decision.NOT_MET: Result.NOT_MET,
}
MET = {Result.PASSED, Result.DECIDED}


@dataclass(frozen=True)
class Verdict:
    """A requirement with its tests and its result."""

    requirement: Requirement
    tests: tuple[MarkedTest, ...]
    result: Result


def judged(requirements: Iterable[Requirement], marks: Marks, outcomes: Mapping[str, str] | None) -> list[Verdict]:
    """A verdict for each requirement. Without outcomes, tests count as passed; a test without one was not run."""
    return [
        Verdict(requirement, tuple(tests), _result(requirement, tests, outcomes))
        for requirement in requirements
        for tests in [marks.get(requirement.number, [])]
    ]


def summary(verdicts: Iterable[Verdict]) -> str:
    """How many of each level are met, of those that apply."""
    all_of_them = list(verdicts)
    said = []
    for level in LEVELS:
        results = [each.result for each in all_of_them if each.requirement.level == level]
        applicable = [result for result in results if result is not Result.NOT_APPLICABLE]
        met = sum(result in MET for result in applicable)
        said.append(f"L{level}: met {met} of {len(applicable)} applicable")
    return "; ".join(said) + "."


def _result(requirement: Requirement, tests: list[MarkedTest], outcomes: Mapping[str, str] | None) -> Result:
    if requirement.decision is not None:
        return _OF_DECISIONS[requirement.decision]
    if outcomes is None:
        return Result.PASSED if tests else Result.NOT_RUN
    came = {outcomes.get(f"{test.file}::{test.name}", "not run") for test in tests}
    if "failed" in came:
        return Result.FAILED
    return Result.PASSED if came == {"passed"} else Result.NOT_RUN
