"""The run: `python -m tests.support.mutants --count 200 --seed 7 shared/jobs shared/registry`."""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.mutants.child import prepare
from tests.support.mutants.choice import Choice
from tests.support.mutants.copy import Copy, copied
from tests.support.mutants.judged import LIST, judged
from tests.support.mutants.making import files_below
from tests.support.mutants.reach import Reach, reaches
from tests.support.mutants.sample import Sample, draw
from tests.support.mutants.table import Tried, survivors, table
from tests.support.mutants.trial import Trials

ROOT = Path(__file__).parents[3]
KEPT = ".mutants"
_PATHS = ["shared/jobs", "shared/registry", "shared/training", "shared/prediction"]
# Not the walks through the whole platform: each takes long and shows what the tests of its parts show more closely.
_TESTS = ["tests/unit", "tests/api", "tests/integration", "tests/property", "tests/worker"]
_PRODUCT = ["api", "cli", "shared", "worker"]


def main() -> None:
    """Make mutants, try each, print the table and the survivors; the exit status is 1 when there is one."""
    wanted = _arguments()
    _say(f"seed {wanted.seed}")
    with copied(wanted.project) as copy:
        sample = draw(copy.root, wanted.paths, count=wanted.count, seed=wanted.seed, known=judged(wanted.judged))
        prepare()
        folder = wanted.project / KEPT
        choice = Choice(copy.root, _reached(copy, wanted.tests, folder))
        trials = Trials(copy, choice, folder, product=[path for path in _PRODUCT if (copy.root / path).exists()])
        tried = _try_all(sample, trials, seconds=60 * wanted.minutes)
    _say("\n" + table(wanted.paths, tried, sample.left_out))
    found = survivors(tried)
    _say("\n" + (found or "No mutant survived."))
    sys.exit(1 if found else 0)


def _reached(copy: Copy, paths: list[str], folder: Path) -> Iterator[Reach]:
    files = [file for file in files_below(copy.root, paths) if Path(file).name.startswith("test_")]
    for number, reach in enumerate(reaches(copy, files, folder / "reach"), start=1):
        _say(f"[{number}/{len(files)}] {reach.file}: {len(reach.seconds)} tests, {sum(reach.seconds.values()):.0f} s")
        yield reach


def _try_all(sample: Sample, trials: Trials, *, seconds: float) -> Tried:
    """All of a sample, or as many as there is time for."""
    tried: Tried = []
    deadline = time.monotonic() + seconds
    for number, (path, mutant) in enumerate(sample.mutants, start=1):
        if time.monotonic() > deadline:
            _say("The time is over. The same command with this seed goes on from here.")
            break
        trial = trials.of_mutant(mutant)
        tried.append((path, mutant, trial))
        _say(
            f"[{number}/{len(sample.mutants)}] {trial.outcome}: {mutant.path}:{mutant.line} (tests met: {trial.tests})"
        )
    return tried


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutants", description=__doc__)
    parser.add_argument("paths", nargs="*", default=_PATHS, help=f"what is broken; by default {' '.join(_PATHS)}")
    parser.add_argument("--count", type=int, default=200, help="of mutants, as many of each path; by default 200")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="by default another each time")  # noqa: S311 (not a secret)
    parser.add_argument("--minutes", type=float, default=30, help="no mutant is tried after that; by default 30")
    parser.add_argument("--tests", nargs="*", default=_TESTS, help=f"files or folders; by default {' '.join(_TESTS)}")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project; by default this one")
    parser.add_argument("--judged", type=Path, default=LIST, help="the list of equivalent mutants")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the same command with this seed goes on from here")
