"""Time until `mlmini` shows its help: `python -m bench.cli`.

The references are a process that does nothing, and one that only imports typer: no help can be there before.
"""

import argparse
import subprocess
import sys
from functools import partial
from statistics import median

from bench.measuring import print_table, seconds_of, spread

REFERENCE = ("python -c pass", [sys.executable, "-c", "pass"])
CASES = [
    ("python -c 'import typer'", [sys.executable, "-c", "import typer"]),
    ("mlmini --help", [sys.executable, "-m", "cli", "--help"]),
    ("mlmini train --help", [sys.executable, "-m", "cli", "train", "--help"]),
    ("mlmini jobs list --help", [sys.executable, "-m", "cli", "jobs", "list", "--help"]),
]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15, help="runs of each command")
    times: int = parser.parse_args().times
    cases = [REFERENCE, *CASES]
    seconds: dict[str, list[float]] = {name: [] for name, _ in cases}
    # One after the other in each round, so that a busy moment of the machine meets all of them.
    for _ in range(times):
        for name, command in cases:
            seconds[name].append(seconds_of(partial(run, command)))
    reference = median(seconds[REFERENCE[0]])
    print_table(
        f"Time to help, {times} runs",
        [
            ("", "median (middle half)", "of the reference"),
            *((name, spread(values), f"{median(values) / reference:.1f}") for name, values in seconds.items()),
        ],
    )


def run(command: list[str]) -> None:
    """Run a command and show nothing of it."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
