"""What a job says to people: lines of bounded length, with nothing in them that acts on whoever shows them."""

import re
import time
import unicodedata
from dataclasses import dataclass, field

LONGEST_LINE = 1_000

# Sequences that terminals obey (ECMA-48): with parameters, with a string up to its terminator, and the short ones.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?", re.DOTALL
)
_SPACES = re.compile(r" {2,}")


@dataclass(frozen=True)
class Line:
    """One line of an attempt; `number` counts from 1 in each attempt, `said_at` is monotonic."""

    number: int
    text: str
    said_at: float = field(default_factory=time.monotonic)


def one_line(text: str) -> str:
    """The text as one line that is safe to store, to print and to send.

    Escape sequences and invisible marks (such as those that turn the direction of writing) are left out, controls and
    line ends become spaces, what is no character becomes U+FFFD. A longer text ends in an ellipsis.
    """
    # A bound first, so that a huge text costs nothing; escapes are left out of what is counted in the end.
    plain = _ESCAPES.sub("", text[: 4 * LONGEST_LINE])
    line = _SPACES.sub(" ", "".join(map(_harmless, plain))).strip()
    cut = len(line) > LONGEST_LINE or len(text) > 4 * LONGEST_LINE
    return f"{line[: LONGEST_LINE - 1]}…" if cut else line


def _harmless(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category == "Cc" or character.isspace() else "\ufffd"
