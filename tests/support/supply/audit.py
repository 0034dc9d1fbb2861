"""Asks for known vulnerabilities of what the locks pin; neither silence nor a skipped package is an all-clear."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.supply.pins import LOCKS, ROOT

PROGRAM = ROOT / ".venv-audit" / "bin" / "pip-audit"
# All others are contained in one of these.
AUDITED = ("dev", "uv", "audit", "clients", "kserve")
_SECONDS = 300
# What pip-audit ends with where nobody answers.
_AWAY = re.compile(
    r"ConnectionError|ProxyError|SSLError|ConnectTimeout|ReadTimeout|Could not connect|Max retries exceeded"
)


class Finding(StrEnum):
    """What came of one question."""

    CLEAN = "clean"
    VULNERABLE = "vulnerable"
    SKIPPED = "skipped"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class Answer(NamedTuple):
    """A finding, and sentences about it."""

    finding: Finding
    said: str


def audited(*, required: bool, program: Path, folder: Path = LOCKS, locks: Iterable[str] = AUDITED) -> Answer:
    """The worst finding, with what was said of each lock.

    The first package of the first lock is asked about alone: where that finds nobody who knows of advisories, nothing
    was audited, which is no failure unless an audit is required.
    """
    names = list(locks)
    with tempfile.TemporaryDirectory() as scratch:
        one = Path(scratch) / "one.txt"
        one.write_text(_first_pin((folder / f"{names[0]}.txt").read_text(encoding="utf-8")), encoding="utf-8")
        source = ask(program, one)
    if source.finding in {Finding.UNREACHABLE, Finding.SKIPPED}:
        away = f"no source of advisories can be reached ({source.said})"
        why = away if source.finding is Finding.UNREACHABLE else f"whoever answers knows no advisories ({source.said})"
        finding = Finding.FAILED if required else Finding.UNREACHABLE
        return Answer(finding, f"not audited: {why}")
    answers = [(name, ask(program, folder / f"{name}.txt")) for name in names]
    bad = [answer.finding for _, answer in answers if answer.finding != Finding.CLEAN]
    # A source that went away in between has left locks without an answer.
    worst = Finding.FAILED if Finding.UNREACHABLE in bad else next(iter(bad), Finding.CLEAN)
    return Answer(worst, "\n".join(f"requirements/{name}.txt: {answer.said}" for name, answer in answers))


def ask(program: Path, lock: Path) -> Answer:
    """What pip-audit says of one file."""
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    command = [str(program), "--requirement", str(lock), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return Answer(Finding.UNREACHABLE, f"no answer within {_SECONDS} s")
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        away = _AWAY.search(done.stderr) is not None
        return Answer(Finding.UNREACHABLE if away else Finding.FAILED, f"pip-audit failed: {last}")
    return _judged(packages, done.returncode)


def _judged(packages: list[dict[str, Any]], status: int) -> Answer:
    vulnerable = list(_vulnerable(packages))
    skipped = [
        f"{package['name']} was skipped: {package['skip_reason']}" for package in packages if "skip_reason" in package
    ]
    if vulnerable:
        return Answer(Finding.VULNERABLE, "\n".join([*vulnerable, *skipped]))
    if skipped or not packages:
        return Answer(Finding.SKIPPED, "\n".join(skipped) or "no package was looked at")
    if status:
        return Answer(Finding.FAILED, f"pip-audit ended with status {status}")
    return Answer(Finding.CLEAN, f"{len(packages)} packages, no known vulnerability")


def _vulnerable(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in packages:
        for each in package.get("vulns", ()):
            fixed = ", ".join(each.get("fix_versions", ())) or "no release yet"
            yield f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}"


def _first_pin(text: str) -> str:
    """The first entry of a lock with its hashes."""
    found = re.search(r"^[A-Za-z0-9].*\n(?: +--hash=.*\n)+", text, re.MULTILINE)
    if found is None:
        raise ValueError("a lock without a pin")
    return found[0].rstrip().removesuffix("\\") + "\n"
