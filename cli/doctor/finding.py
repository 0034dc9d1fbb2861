"""What was found out about one part."""

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """Whether the platform can work with what was found."""

    OK = "ok"
    NOTE = "note"  # It works without, or makes it when it starts.
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One part: how it is, what was found, and what is to be done about it."""

    part: str
    state: CheckState
    found: str
    cure: str = ""


def ok(part: str, found: str) -> Finding:
    """The part is well."""
    return Finding(part, CheckState.OK, found)


def note(part: str, found: str, cure: str) -> Finding:
    """The part is not there, or not as it could be, and the platform can work."""
    return Finding(part, CheckState.NOTE, found, cure)


def broken(part: str, found: str, cure: str) -> Finding:
    """The platform cannot work like this."""
    return Finding(part, CheckState.BROKEN, found, cure)
