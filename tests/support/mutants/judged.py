"""Mutants that somebody looked at and found to be no worse than the original: no test could tell them apart."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.support.mutants.making import Mutant

LIST = Path(__file__).with_name("judged.toml")


@dataclass(frozen=True)
class Judged:
    """A mutant, known by its function and its change, and why it is equivalent."""

    function: str
    before: str
    after: str
    reason: str

    @property
    def name(self) -> tuple[str, str, str]:
        """What a mutant is known by."""
        return self.function, self.before, self.after


def judged(path: Path = LIST) -> dict[tuple[str, str, str], Judged]:
    """All that were judged, by their names.

    Raises:
        ValueError: when one has no reason.
    """
    found = [Judged(**entry) for entry in tomllib.loads(path.read_text()).get("equivalent", [])]
    for each in found:
        if not each.reason.strip():
            raise ValueError(f"{path.name}: say why the mutant of {each.function} is equivalent")
    return {each.name: each for each in found}


def entry(mutant: Mutant) -> str:
    """What to add to the list when a mutant is equivalent, once the reason is filled in."""
    fields = zip(("function", "before", "after"), mutant.name, strict=True)
    return "\n".join(["[[equivalent]]", *(f"{name} = '''{value}'''" for name, value in fields), 'reason = ""'])
