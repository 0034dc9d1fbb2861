"""The root and the branches of the tree of errors, and how a leaf gets its code."""

import difflib
import re
from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import islice
from typing import Any

# So many faults of one request are told. To make a sentence for each of a million would take seconds.
MOST_FAULTS = 100
# So many of them come with a suggestion, where it is looked for among the columns of a table.
MOST_HINTS = 10

# How far a suggestion is looked for.
_LONGEST_WORD = 100
_MOST_WORDS = 5_000
_MOST_COMPARED = 20
# The share of letters in common from which on words are taken for close.
_CUTOFF = 0.6


class PlatformError(Exception):
    """Root of all errors that the platform raises on purpose."""

    code = "error"
    title = "Error"

    def __init_subclass__(cls) -> None:
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).split()
        cls.code = "_".join(words).lower()
        cls.title = " ".join(words).capitalize()

    def __init__(self, detail: str = "", *, errors: list[dict[str, Any]] | None = None) -> None:
        """`errors` lists single faults as `{"loc": [...], "msg": "..."}` where there may be several."""
        self.detail = detail or (type(self).__doc__ or "")
        self.errors = errors or []
        super().__init__(self.detail)


class Invalid(PlatformError):
    """What was asked cannot be right."""


class Unknown(PlatformError):
    """It names something that is not there."""


class Conflict(PlatformError):
    """The request is right in itself, but not in the present state."""


class TooLarge(PlatformError):
    """It is over a limit."""


class WrongMediaType(PlatformError):
    """The content type is not taken here."""


class Unavailable(PlatformError):
    """A part that the platform needs does not answer; try again later."""


class Permanent(PlatformError):
    """A job met something that another try cannot mend."""


class WrongSettings(PlatformError):
    """A setting is missing or wrong; the process cannot start."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence with the closest known word, or an empty string.

    The work is bounded, whatever clients send and call their columns: it is linear in the known words, and quadratic in
    their length for few of them only.
    """
    words = [each for each in islice(known, _MOST_WORDS) if len(each) <= _LONGEST_WORD]
    if not words or len(word) > _LONGEST_WORD:
        return ""
    matcher = difflib.SequenceMatcher(b=word)
    near = []
    for each in words:
        matcher.set_seq1(each)
        if matcher.real_quick_ratio() >= _CUTOFF and (at_most := matcher.quick_ratio()) >= _CUTOFF:
            near.append((at_most, each))
    close = []
    for _, each in nlargest(_MOST_COMPARED, near):
        matcher.set_seq1(each)
        close.append((matcher.ratio(), each))
    likeness, closest = max(close, default=(0.0, ""))
    return f" Did you mean '{closest}'?" if likeness >= _CUTOFF else ""


def leaves(root: type[PlatformError] = PlatformError) -> Iterator[type[PlatformError]]:
    """Every error class below `root` that has no subclasses: the ones with a code for clients."""
    for child in root.__subclasses__():
        if child.__subclasses__():
            yield from leaves(child)
        else:
            yield child


def error_of_code(code: str) -> type[PlatformError]:
    """The class whose code this is.

    Raises:
        KeyError: when there is none.
    """
    return {leaf.code: leaf for leaf in leaves()}[code]
