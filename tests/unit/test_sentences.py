"""The sentences that people read are whole: one full stop, one blank, and a capital letter after a full stop."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import leaves

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((ROOT / "api/docs/problems.json").read_text())
# A name, a call or a value in quotes may hold anything.
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
BROKEN = {
    "two full stops": re.compile(r"(?<!\.)\.\.(?!\.)"),
    "two blanks": re.compile(r"  "),
    "a small letter after a full stop": re.compile(r"(?<!\.)[.?!] [a-z]"),
}
# What begins with a small letter by its own name.
NAMES = re.compile(r"[.?!] (?:mlmini|scikit-learn|liblinear)\b")


def told(value: Any) -> Iterator[str]:
    """The details and messages of recorded problems."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in {"detail", "msg"} and isinstance(inner, str):
                yield inner
            else:
                yield from told(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from told(inner)


def written(path: Path) -> Iterator[str]:
    """The texts of a file of the product in which a sentence ends and another one begins."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "'…'" for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def flaws(sentence: str) -> list[str]:
    """What is broken about a sentence."""
    plain = NAMES.sub(". Name", QUOTED.sub("'…'", sentence))
    return [name for name, pattern in BROKEN.items() if pattern.search(plain)]


@pytest.mark.parametrize(
    ("sentence", "broken"),
    [
        ("No column is left. Add one.", []),
        ("No column is left.. Add one.", ["two full stops"]),
        ("No column  is left.", ["two blanks"]),
        ("No column is left. add one.", ["a small letter after a full stop"]),
        ("One ... and two", []),
        ("Write 'a..b  c. d' and … so on.", []),
        ("It is gone. mlmini fsck tells more.", []),
    ],
)
def test_a_broken_sentence_is_seen(sentence: str, broken: list[str]) -> None:
    assert flaws(sentence) == broken


def test_recorded_problems_are_whole_sentences() -> None:
    sentences = set(told(RECORDED))
    assert len(sentences) > 50
    assert {sentence: found for sentence in sentences if (found := flaws(sentence))} == {}


def test_meanings_and_hints_of_errors_are_whole_sentences() -> None:
    for error in leaves():
        for sentence in (" ".join((error.__doc__ or "").split()), error.hint):
            assert (sentence, flaws(sentence)) == (sentence, [])
            assert sentence.endswith("."), sentence


@pytest.mark.parametrize("package", ["api", "cli", "shared", "worker"])
def test_sentences_of_the_product_are_whole(package: str) -> None:
    broken = {
        sentence: found
        for path in sorted((ROOT / package).rglob("*.py"))
        for sentence in written(path)
        if ". " in sentence and "\n" not in sentence and (found := flaws(sentence))
    }
    assert broken == {}
