"""The known word that somebody may have meant."""

import difflib
from collections.abc import Iterable
from heapq import nlargest
from itertools import islice

# How far a suggestion is looked for.
_LONGEST_WORD = 100
_MOST_WORDS = 5_000
_MOST_COMPARED = 20
# The share of letters in common from which on words are taken for close.
_CUTOFF = 0.6


def closest(word: str, known: Iterable[str]) -> str | None:
    """The closest known word, if one comes near: before all, one that differs in upper case or outer blanks only.

    Of words that are equally close, it is the first.

    The work is bounded, whatever clients send and call their columns: it is linear in the known words, and quadratic in
    their length for few of them only.
    """
    words = [each for each in islice(known, _MOST_WORDS) if len(each) <= _LONGEST_WORD]
    if not words or len(word) > _LONGEST_WORD:
        return None
    wanted = _folded(word)
    matcher = difflib.SequenceMatcher(b=wanted)
    near = []
    for each in words:
        written = _folded(each)
        if written == wanted:
            return each
        matcher.set_seq1(written)
        if matcher.real_quick_ratio() >= _CUTOFF and (at_most := matcher.quick_ratio()) >= _CUTOFF:
            near.append((at_most, each))
    close = []
    for _, each in nlargest(_MOST_COMPARED, near, key=_likeness):
        matcher.set_seq1(_folded(each))
        close.append((matcher.ratio(), each))
    likeness, nearest = max(close, key=_likeness, default=(0.0, ""))
    return nearest if likeness >= _CUTOFF else None


def meant(word: str | None) -> str:
    """A sentence that asks whether this word was meant, to follow another one; nothing without a word."""
    return f" Did you mean '{word}'?" if word else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """That sentence about the closest known word."""
    return meant(closest(word, known))


def _folded(word: str) -> str:
    return word.strip().casefold()


def _likeness(compared: tuple[float, str]) -> float:
    return compared[0]
