"""What a maker gives for an estimator, and how it says that it has nothing to give."""

from collections.abc import Collection
from typing import Any, NamedTuple

from shared.compiled.model import Takes
from shared.compiled.parts import Score


class NotCompilable(Exception):
    """There is no compiled form of a model; the message says why, as the end of a sentence."""


class Compiled(NamedTuple):
    """An estimator without the steps before it, as `CompiledModel` has it."""

    score: Score
    takes: Takes
    choice: str | None = None
    link: str | None = None


def unseen(words: Collection[Any]) -> str:
    """A category that is none of these."""
    found = "unseen"
    while found in words:
        found += "?"
    return found
