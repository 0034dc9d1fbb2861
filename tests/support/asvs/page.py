"""The table for people: at a terminal, and as docs/asvs.md."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.support.asvs.marks import ROOT
from tests.support.asvs.score import Result, Verdict, summary

PAGE = ROOT / "docs" / "asvs.md"
_HEAD = """# Security requirements

The [OWASP Application Security Verification Standard](https://github.com/OWASP/ASVS) 5.0.0 lists what a web application
has to do for its security. Below are all requirements of its levels 1 and 2, each with the tests that show it, or with
a decision: that it is met by what no test can show, that it does not apply, or that it is not met, and why. The numbers
and levels are those of the standard (by the OWASP Foundation and its contributors, CC BY-SA 4.0); the words are not, so
look there for what a requirement says in full.

`make asvs` runs the tests and prints the table with what came of them. This page is written by
`python -m tests.support.asvs --write` from the marks of the tests and from
[the list](../tests/support/asvs/requirements.toml), and a test compares them.
"""
_WORDS = {
    Result.DECIDED: "Decided.",
    Result.NOT_APPLICABLE: "Does not apply.",
    Result.NOT_MET: "**Not met.**",
    Result.NOT_RUN: "**Nothing yet.**",
}


def page(verdicts: Iterable[Verdict]) -> str:
    """The document."""
    found = list(verdicts)
    parts = [_HEAD, f"**{summary(found)}**\n", "## Not met\n", "\n".join(_list_of_unmet(found)) + "\n"]
    for chapter, members in groupby(found, key=lambda each: each.requirement.chapter):
        rows = (
            f"| {each.requirement.number} | {each.requirement.level} | {each.requirement.words} | {_shown(each)} |\n"
            for each in members
        )
        heads = "| Number | Level | Requirement | Shown by |\n|---|---|---|---|\n"
        parts.append(f"## {chapter}\n\n{heads}{''.join(rows)}")
    return "\n".join(parts)


def table(verdicts: Iterable[Verdict]) -> str:
    """The lines for a terminal: number, level, result, words, and the tests or the reason below them."""
    lines = []
    for verdict in verdicts:
        wanted = verdict.requirement
        lines.append(f"{wanted.number:<8} L{wanted.level}  {verdict.result:<15} {wanted.words}")
        lines += [f"{'':28}{test.file}::{test.name}" for test in verdict.tests]
        lines += [f"{'':28}{wanted.reason}"] if wanted.reason else []
    return "\n".join(lines) + "\n"


def unmet(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that are named as not met."""
    return [each for each in verdicts if each.result is Result.NOT_MET]


def _list_of_unmet(verdicts: list[Verdict]) -> Iterator[str]:
    for each in unmet(verdicts):
        wanted = each.requirement
        yield f"- {wanted.number} (level {wanted.level}): {wanted.words} {wanted.reason}"


def _shown(verdict: Verdict) -> str:
    if not verdict.tests:
        return f"{_WORDS[verdict.result]} {verdict.requirement.reason}"
    return "; ".join(f"[{test.sentence}](../{test.file})" for test in verdict.tests)
