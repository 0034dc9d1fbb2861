"""What reading a table costs: the whole check of an upload, with findings and profile, beside a plain read by pandas.

The table has a million rows of twelve columns: numbers, categories, booleans, days and gaps. pandas reads it serially,
with `low_memory=False`, and finds nothing out. Both are measured in turns, in processes of their own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from bench.measuring import print_table
from shared.tables.inspected import TableLimits

_WORDS = ["Berlin", "Paris", "Rome", "London", "Zürich", "Oslo"]
_MB = 1e6
_CHILD = "child"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument(f"--{_CHILD}", choices=["pandas", "reading"], help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        act_as_child(given.child, given.path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, given.rows)
        turns = [{act: measured(act, path) for act in ("pandas", "reading")} for _ in range(given.turns)]
        report(path.stat().st_size, given.rows, turns)


def write_table(path: Path, rows: int) -> None:
    """A CSV file of twelve columns."""
    draw = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "id": np.arange(rows),
            "a": draw.normal(size=rows).round(4),
            "b": draw.normal(100, 20, size=rows).round(2),
            "count": draw.integers(0, 1_000, rows),
            "share": draw.random(rows),
            "large": draw.integers(0, 10**9, rows),
            "f": draw.normal(size=rows).round(6),
            "city": draw.choice(_WORDS, rows),
            "flag": draw.choice(["true", "false"], rows),
            "day": pd.to_datetime("2020-01-01") + pd.to_timedelta(draw.integers(0, 2_000, rows), "D"),
            "code": draw.integers(0, 5_000, rows),
            "label": draw.choice(["yes", "no"], rows),
        }
    )
    table.loc[draw.random(rows) < 0.02, "b"] = np.nan
    table.to_csv(path, index=False)


def measured(act: str, path: Path) -> dict[str, float]:
    """Seconds, seconds of CPU and the peak of memory of one read, in a process of its own."""
    command = [sys.executable, "-m", "bench.reading", f"--{_CHILD}", act, "--path", str(path)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def act_as_child(act: str, path: Path) -> None:
    """Read the file once and print what that took; the process ends here."""
    if act == "pandas":
        pd.read_csv(path, nrows=10)
    else:
        from shared.tables.inspection import inspect
    started, cpu = time.perf_counter(), time.process_time()
    if act == "pandas":
        pd.read_csv(path, low_memory=False)
    else:
        inspect(path, TableLimits())
    taken = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(taken), flush=True)
    # Threads of the parser may still be there.
    os._exit(0)


def report(size: int, rows: int, turns: list[dict[str, dict[str, float]]]) -> None:
    """Print the figures."""

    def row(what: str, act: str) -> list[str]:
        seconds, cpu, memory = (median(turn[act][each] for turn in turns) for each in ("seconds", "cpu", "memory"))
        ratio = median(turn[act]["seconds"] / turn["pandas"]["seconds"] for turn in turns)
        return [
            what,
            f"{seconds:.2f} s",
            f"{cpu:.2f} s",
            f"{memory / _MB:.0f} MB",
            f"{size / _MB / seconds:.0f} MB/s",
            f"{ratio:.1f}",
        ]

    print_table(
        f"A CSV file of {rows:,} rows and 12 columns, {size / _MB:.0f} MB; medians of {len(turns)} turns",
        [
            ["what", "time", "CPU", "peak", "rate", "ratio"],
            row("pandas.read_csv, serial (reference)", "pandas"),
            row("reading, findings and profile", "reading"),
        ],
    )


if __name__ == "__main__":
    main()
