"""Counts the work of looking for suggestions, which is the same however busy the machine is."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Searches:
    """How often a word was looked for, and how often two words were compared letter by letter."""

    words: int = 0
    comparisons: int = 0


@contextmanager
def counted_searches() -> Iterator[Searches]:
    """The searches within the block, in all threads."""
    counted = Searches()

    class Matcher(difflib.SequenceMatcher[str]):
        def set_seq2(self, b: Any) -> None:
            counted.words += bool(b)
            super().set_seq2(b)

        def ratio(self) -> float:
            counted.comparisons += 1
            return super().ratio()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(difflib, "SequenceMatcher", Matcher)
        yield counted
