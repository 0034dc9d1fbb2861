"""Under which licences the libraries are that the platform is installed with, and whether each of them will do."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

from tests.support.supply.pins import LOCKS, ROOT, Pin, read_pins

PAGE = ROOT / "docs" / "licences.md"
POLICY = LOCKS / "licences.toml"
# What is installed to run, with or without further libraries, and what the images have.
INSTALLED = ("run", "optuna", "boosting", "dask", "image", "image-optuna", "image-boosting", "image-dask")
UNKNOWN = "unknown"
_HEAD = """# Licences

All libraries that an install of the platform or an image may have, with versions and licences as SPDX expressions. The
platform itself is under the [Apache License 2.0](../LICENSE). `python -m tests.support.supply licences` writes this
page from the locks, from what the packages say of themselves, and from
[what was looked up](../requirements/licences.toml) where they do not; a test compares them, so that no library comes in
without a look at its licence.

| Package | Version | Licence | Locks |
|---|---|---|---|
"""


class Policy(NamedTuple):
    """What was looked up, what is taken without a word, and what is taken for a reason."""

    looked_up: dict[str, str]
    taken: frozenset[str]
    decided: dict[str, str]


class Library(NamedTuple):
    """A row of the page."""

    name: str
    version: str
    licence: str
    locks: tuple[str, ...]


def read_policy(path: Path = POLICY) -> Policy:
    """The policy as it is written."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Policy(found["looked_up"], frozenset(found["taken"]), found["decided"])


def licence_of(pin: Pin, policy: Policy) -> str:
    """An SPDX expression, or `unknown` for a package that is not here and was not looked up."""
    if pin.name in policy.looked_up:
        return policy.looked_up[pin.name]
    try:
        told = metadata(pin.name)
    except PackageNotFoundError:
        return UNKNOWN
    if "License-Expression" in told:
        return told["License-Expression"]
    # Older packages have a field for any text, in which some write an expression.
    text = told["License"].strip() if "License" in told else ""
    return text if text and set(identifiers(text)) <= policy.taken | policy.decided.keys() else UNKNOWN


def libraries(policy: Policy) -> list[Library]:
    """All that may be installed, by name."""
    found: dict[tuple[str, str], tuple[Pin, list[str]]] = {}
    for lock in INSTALLED:
        for pin in read_pins(lock):
            found.setdefault((pin.name, pin.version), (pin, []))[1].append(lock)
    return [
        Library(name, version, licence_of(pin, policy), tuple(locks))
        for (name, version), (pin, locks) in sorted(found.items())
    ]


def unsuitable(rows: Iterable[Library], policy: Policy) -> list[str]:
    """Sentences about the libraries whose licence nobody has decided to take."""
    return [
        f"{row.name} {row.version} is under {row.licence}: look it up, and decide in requirements/licences.toml."
        for row in rows
        if not set(identifiers(row.licence)) <= policy.taken | policy.decided.keys()
    ]


def identifiers(expression: str) -> Iterator[str]:
    """The licences that an SPDX expression names, each with its exception."""
    for part in re.split(r"\s+(?:AND|OR)\s+", expression.replace("(", " ").replace(")", " ").strip()):
        yield part.strip()


def page(rows: Iterable[Library], policy: Policy) -> str:
    """The document."""
    lines = (f"| {row.name} | {row.version} | {row.licence} | {', '.join(row.locks)} |\n" for row in rows)
    reasons = "".join(f"- {licence}: {reason}\n" for licence, reason in sorted(policy.decided.items()))
    return f"{_HEAD}{''.join(lines)}\n## Taken for a reason\n\n{reasons}"


def read_page(text: str) -> dict[tuple[str, str], str]:
    """The licences that the page tells, by name and version."""
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return {(name, version): licence for name, version, licence in rows}
