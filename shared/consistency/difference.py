"""Something that is not as it should be."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether something has to be done about it."""

    DIFFERS = "differs"
    # It is under way, or it is nothing of ours.
    NOTE = "note"


@dataclass(frozen=True)
class Difference:
    """One finding: a stable name of its kind, what it is about, what was found, and how to fix it."""

    kind: str
    about: str
    found: str
    hint: str
    level: Level = Level.DIFFERS
