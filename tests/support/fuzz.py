"""`make fuzz`: search near valid files, names, tokens and requests to train, each for so many minutes.

Hypothesis ends after a number of examples, so that tests run again with new seeds until the time is over.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

AREAS = {
    "tables": [
        "tests/property/test_files_near_tables.py",
        "tests/property/test_table_reading.py",
    ],
    "names": [
        "tests/api/test_names_near_known.py",
        "tests/property/test_dataset_names.py",
        "tests/property/test_account_texts.py",
    ],
    "tokens": ["tests/property/test_texts_near_tokens.py", "tests/property/test_account_texts.py"],
    "trainings": ["tests/api/test_requests_near_trainings.py", "tests/unit/test_search_spaces.py"],
}
# So many examples of a test in a round: rounds are long beside their starts, and short beside the minutes.
_CASES = 300
_TOLD = re.compile(r"(\d+) passing, (\d+) failing, and \d+ invalid test cases")


class Tally(NamedTuple):
    """What was looked at in one area, in how many rounds."""

    rounds: int = 0
    examples: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.examples} examples in {self.rounds} rounds, {self.failed} rounds failed"


def search(area: str, seconds: float, rng: random.Random) -> Tally:
    """Look at one area for so long; what fails is told with the seed that repeats it."""
    tally, ends_at = Tally(), time.monotonic() + seconds
    while time.monotonic() < ends_at:
        seed = rng.randrange(2**31)
        examples, failure = _round(AREAS[area], seed)
        tally = Tally(tally.rounds + 1, tally.examples + examples, tally.failed + bool(failure))
        if failure:
            _tell(f"{area}, --hypothesis-seed={seed}:\n{failure}")
    return tally


def _round(tests: Sequence[str], seed: int) -> tuple[int, str]:
    """How many examples were looked at, and what was said if any failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--show-capture=no", "--tb=short"]
    command += ["--hypothesis-show-statistics", f"--hypothesis-seed={seed}", *tests]
    variables = {"MLMINI_HYPOTHESIS_PROFILE": "long", "MLMINI_CASES": str(_CASES)}
    ended = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
    said, _, statistics = ended.stdout.partition("= Hypothesis Statistics =")
    examples = sum(int(passing) + int(failing) for passing, failing in _TOLD.findall(statistics))
    return examples, "" if ended.returncode == 0 else said + ended.stderr


def main() -> int:
    """Search, tell how much was looked at, and return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--minutes", type=float, default=10, help="for each area")
    parser.add_argument("--seed", type=int, help="of the seeds of the rounds")
    options = parser.parse_args()
    unknown = set(options.areas) - set(AREAS)
    if unknown:
        parser.error(f"there is no area {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    seed = options.seed if options.seed is not None else time.time_ns() % 2**31
    _tell(f"SEED={seed}")
    rng, tallies = random.Random(seed), {}  # noqa: S311 (a search, not a secret)
    for area in options.areas or AREAS:
        tallies[area] = search(area, options.minutes * 60, rng)
        _tell(f"{area}: {tallies[area]}")
    return int(any(tally.failed for tally in tallies.values()))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
