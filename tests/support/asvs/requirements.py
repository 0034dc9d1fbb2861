"""The requirements of levels 1 and 2, and what was decided about those that no test shows."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("requirements.toml")
LEVELS = (1, 2)


class Decision(StrEnum):
    """What a requirement without a test is."""

    DECIDED = "decided"
    NOT_APPLICABLE = "not_applicable"
    NOT_MET = "not_met"


@dataclass(frozen=True)
class Requirement:
    """One line of the list; without a decision, tests have to show it."""

    number: str
    level: int
    chapter: str
    words: str
    decision: Decision | None = None
    reason: str = ""


def read_requirements(path: Path = LIST) -> list[Requirement]:
    """The list, in its order.

    Raises:
        ValueError: naming the entry that has not the form of one.
    """
    chapters = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_read(chapter, number, entry) for chapter, entries in chapters.items() for number, entry in entries.items()]


def _read(chapter: str, number: str, entry: dict[str, Any]) -> Requirement:
    decisions = [decision for decision in Decision if decision in entry]
    known = entry.keys() <= {"level", "words", *Decision}
    texts = [entry.get("words"), *(entry[decision] for decision in decisions)]
    told = all(isinstance(text, str) and text.endswith(".") for text in texts)
    if not known or not told or len(decisions) > 1 or entry.get("level") not in LEVELS:
        raise ValueError(f"{number}: a level, a sentence, and one decision with a sentence at most; got {entry}")
    if number.partition(".")[0] != chapter.partition(" ")[0].removeprefix("V"):
        raise ValueError(f"{number} does not belong in the chapter {chapter}")
    if not decisions:
        return Requirement(number, entry["level"], chapter, entry["words"])
    return Requirement(number, entry["level"], chapter, entry["words"], decisions[0], entry[decisions[0]])
