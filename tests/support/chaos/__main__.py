"""The long run: `python -m tests.support.chaos --seeds 1-20 --minutes 30`."""

import argparse
import itertools
import sys
import time
from pathlib import Path

from shared.logging import configure_logging
from tests.support.chaos.backends import own_backends
from tests.support.chaos.checker import Violation
from tests.support.chaos.figures import Figures, table
from tests.support.chaos.run import kind_of, run_seed

_SECONDS = 45


def main() -> None:
    """Run seeds until the time is over, say how each went, print the table; the exit status is 1 when one was red."""
    wanted = _arguments()
    # What the collector deletes at the end of a run is not for this page.
    configure_logging("WARNING")
    total = Figures()
    deadline = time.monotonic() + 60 * wanted.minutes
    with own_backends() as backends:
        for seed in itertools.takewhile(lambda _: time.monotonic() < deadline, wanted.seeds):
            try:
                figures = run_seed(backends, seed, seconds=wanted.seconds, keep=wanted.keep)
            except Exception as error:  # noqa: BLE001 - a red run: the figures of the others are still wanted
                broken = Violation("I1", f"the run broke off: {type(error).__name__}: {error}")
                figures = Figures(seeds=[seed], red=[seed], violations=[broken])
            total.add(figures)
            state = "RED" if figures.red else "green"
            _say(
                f"seed {seed:>4}  {kind_of(seed)!s:<20} {figures.accepted:>4} jobs  {figures.faults.total():>3} faults"
                f"  drained in {sum(figures.drain_seconds):5.1f} s  {state}"
            )
            for violation in figures.violations:
                _say(f"    {violation.invariant}: {violation.said}")
    _say("\n" + table(total))
    sys.exit(1 if total.red else 0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.chaos", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default="1-1000", help="as 7 or 1-20; by default 1-1000")
    parser.add_argument("--minutes", type=float, default=30, help="no run begins after that; by default 30")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help=f"of faults in each run; by default {_SECONDS}")
    parser.add_argument("--keep", type=Path, help="a folder for the files of red runs")
    return parser.parse_args()


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    main()
