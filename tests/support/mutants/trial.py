"""Puts a mutant to the test, and remembers how that went."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from tests.support.mutants.child import run_pytest
from tests.support.mutants.choice import Choice, Chosen
from tests.support.mutants.copy import Copy
from tests.support.mutants.making import Mutant

# A mutant may wait for something for ever. So long is no other test, even on a busy machine.
LEAST_SECONDS = 60.0
_TIMES = 8


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    UNREACHED = "unreached"


@dataclass(frozen=True)
class Trial:
    """One mutant and how many tests it met."""

    outcome: Outcome
    tests: int


class Trials:
    """Tries mutants. What was tried before is known, until the product or the tests that a mutant meets change."""

    def __init__(self, copy: Copy, choice: Choice, folder: Path, *, product: list[str]) -> None:
        self._copy = copy
        self._choice = choice
        self._log = folder / "last.log"
        self._book = folder / "trials.jsonl"
        self._product = "".join(copy.digest(path) for path in product)
        self._known: dict[str, Trial] = {}
        if self._book.exists():
            for line in self._book.read_text().splitlines():
                kept = json.loads(line)
                self._known[kept["key"]] = Trial(Outcome(kept["outcome"]), kept["tests"])

    def of_mutant(self, mutant: Mutant) -> Trial:
        """Run the tests that reach a mutant until one fails."""
        chosen = self._choice.rounds(mutant)
        key = self._key(mutant, chosen)
        if key not in self._known:
            self._known[key] = trial = self._try(mutant, chosen)
            with self._book.open("a") as book:
                book.write(json.dumps({"key": key, **asdict(trial)}) + "\n")
        return self._known[key]

    def _try(self, mutant: Mutant, chosen: list[Chosen]) -> Trial:
        outcome, tests = Outcome.UNREACHED, 0
        with self._copy.with_file(mutant.path, mutant.text):
            for each in chosen:
                limit = LEAST_SECONDS + _TIMES * each.seconds
                status = run_pytest(self._copy, each.tests, seconds=limit, log=self._log)
                tests += len(each.tests)
                outcome = {0: Outcome.SURVIVED, None: Outcome.TIMED_OUT}.get(status, Outcome.KILLED)
                if outcome is not Outcome.SURVIVED:
                    break
        return Trial(outcome, tests)

    def _key(self, mutant: Mutant, chosen: list[Chosen]) -> str:
        files = sorted({test.partition("::")[0] for each in chosen for test in each.tests})
        facts = [*mutant.name, str(mutant.line), self._product, *(self._copy.digest(file) for file in files)]
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()
