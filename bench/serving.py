"""`/predict` beside what serves nothing, what serves the same model as a tutorial does, and other servers of models.

Each server has one core, the client the other. All answer in turns, five rounds of them, so that a busy machine slows
all down; a line has the medians. The other servers have environments of their own below `.bench`, which the first run
makes with `uv`; with --peers none of them is started.
"""

import argparse
import csv
import io
import platform as machine
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import numpy as np
import psutil

from bench.measuring import milliseconds, platform, print_table
from bench.peers.environments import PROGRAMS
from bench.peers.servers import PEERS, running_peer
from bench.references import CONSTANT, ECHO, TUTORIAL, reference
from bench.wire import Measured, ask

ROUNDS = 5
SERVER_CORE, CLIENT_CORE = 0, 1
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}}
LOGISTIC = {"module": "linear_model", "class": "LogisticRegression", "params": {}}
BOOSTING = {"module": "ensemble", "class": "HistGradientBoostingClassifier", "params": {}}
NEIGHBORS = {"module": "neighbors", "class": "KNeighborsClassifier", "params": {}}


class Case(NamedTuple):
    """A model on a dataset, and how a row is sent: to the platform, and to those that take what was fitted."""

    name: str
    key: str
    dataset: str
    model: dict[str, Any]
    row: Any
    plain_row: Any


class Target(NamedTuple):
    """Where to ask, and what."""

    url: str
    body: dict[str, Any]


IRIS_ROW = [5.1, 3.5, 1.4, 0.2]
MIXED_ROW = {"age": 41, "city": "Oslo", "member": True, "on": "2024-05-01"}
PLAIN_MIXED_ROW = {"age": 41.0, "city": "Oslo", "member": 1.0, "on": 19_844.0}
CASES = [
    Case("logistic regression, iris", "logistic", "iris", LOGISTIC, IRIS_ROW, IRIS_ROW),
    Case("forest of 100, iris", "forest", "iris", FOREST, IRIS_ROW, IRIS_ROW),
    Case("histogram boosting, iris", "boosting", "iris", BOOSTING, IRIS_ROW, IRIS_ROW),
    Case("forest of 100, 20,000 x 30", "wide", "wide", FOREST, [0.5] * 30, [0.5] * 30),
    Case("forest of 100, mixed columns", "mixed", "mixed", FOREST, MIXED_ROW, PLAIN_MIXED_ROW),
    Case("neighbours, iris, without a compiled form", "neighbors", "iris", NEIGHBORS, IRIS_ROW, IRIS_ROW),
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="of load for each round and target")
    parser.add_argument("--only", nargs="*", default=[each.key for each in CASES], help="the cases, by their keys")
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 100], help="in a request")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 8, 64], help="that ask at once")
    names = [peer.name for peer in PEERS]
    parser.add_argument("--peers", nargs="*", default=names, help=f"of {', '.join(names)}")
    options = parser.parse_args()
    print(f"{machine.platform()}, {psutil.cpu_count()} cores, Python {machine.python_version()}")
    with platform() as url:
        pin_api()
        for case in CASES:
            if case.key in options.only:
                serve(url, case)
                beside(url, case, options)


def beside(url: str, case: Case, options: argparse.Namespace) -> None:
    """Start the others with the model of a case, and measure all."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = folder / "model.joblib"
        fit(case, kept)
        addresses = {
            program: stack.enter_context(reference(source, kept, core=SERVER_CORE))
            for program, source in {"echo": ECHO, "constant": CONSTANT, "tutorial": TUTORIAL}.items()
        }
        peers = {
            peer: stack.enter_context(running_peer(peer, case.key, folder, core=SERVER_CORE, rows=[case.plain_row]))
            for peer in PEERS
            if peer.name in options.peers
        }
        for rows in options.rows:
            ours = body_of(case, case.row, rows)
            plain = body_of(case, case.plain_row, rows)
            targets = {"/predict": Target(f"{url}/predict", ours)}
            targets |= {name: Target(f"{base}/predict", plain) for name, base in addresses.items()}
            targets |= {
                peer.name: Target(running.url, peer.body([case.plain_row] * rows)) for peer, running in peers.items()
            }
            measure(case, rows, targets, options)
        memory = {"API": memory_of_api()} | {peer.name: running.memory_mb for peer, running in peers.items()}
        print_table("memory of the processes that answer", [list(memory), [f"{mb:.0f} MB" for mb in memory.values()]])


def measure(case: Case, rows: int, targets: Mapping[str, Target], options: argparse.Namespace) -> None:
    """Print the table of a case."""
    lines = [["rows", "connections", "target", "requests/s", "p50", "p99", "share of the echo"]]
    for connections in options.connections:
        found: dict[str, list[Measured]] = {name: [] for name in targets}
        for _ in range(ROUNDS):
            for name, target in targets.items():
                asked = ask(target.url, target.body, connections=connections, seconds=options.seconds, core=CLIENT_CORE)
                found[name].append(asked)
        echo = statistics.median(each.rate for each in found["echo"])
        for name, measured in found.items():
            lines.append([str(rows), str(connections), name, *told(measured, echo)])
    print_table(f"{case.name}: {ROUNDS} rounds of {options.seconds} s for each target in turns", lines)


def told(measured: Sequence[Measured], echo: float) -> list[str]:
    """The medians of several rounds."""
    rate = statistics.median(each.rate for each in measured)
    half, most = (statistics.median(getattr(each, name) for each in measured) for name in ("half", "most"))
    return [f"{rate:,.0f}", milliseconds(half), milliseconds(most), f"{rate / echo:.2f}"]


def fit(case: Case, file: Path) -> None:
    """The model of a case as a script fits it, for the tutorial's server."""
    subprocess.run([sys.executable, PROGRAMS / "fitting.py", case.key, file], check=True)


def body_of(case: Case, row: Any, rows: int) -> dict[str, Any]:
    """A request with the same row so many times."""
    form = "records" if isinstance(row, dict) else "features"
    return {"dataset_name": case.dataset, "environment": "dev", "input_data": {form: [row] * rows}}


def serve(url: str, case: Case) -> int:
    """Make the model of a case the one that serves its dataset in dev, and warm it; gives its version."""
    with httpx2.Client(base_url=url, timeout=600) as client:
        request: dict[str, Any] = {"dataset_name": case.dataset, "model": case.model, "target_column": "target"}
        if case.dataset == "iris":
            request["use_example"] = True
        else:
            table = wide() if case.dataset == "wide" else mixed()
            client.post("/datasets/upload", files={"file": (f"{case.dataset}.csv", table)}).raise_for_status()
        job = client.post("/train", json=request).raise_for_status().json()
        while (state := client.get(f"/jobs/{job['job_id']}", params={"wait": 30}).json())["status"] != "succeeded":
            if state["status"] in {"failed", "cancelled"}:
                raise SystemExit(state)
        version: int = state["result"]["version"]
        asked = body_of(case, case.row, 1)
        while client.post("/predict", json=asked).json().get("version") != version:
            time.sleep(0.05)
    return version


def wide() -> bytes:
    """20,000 rows of 30 numbers, and a class that some of them tell."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(20_000, 30)).round(4)
    labels = (numbers[:, :5].sum(axis=1) + generator.normal(size=len(numbers)) > 0).astype(int)
    return written([f"n{number}" for number in range(30)], np.column_stack([numbers, labels]).tolist())


def mixed() -> bytes:
    """2,000 rows of numbers, words, booleans and dates, some missing."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(2_000):
        age = int(generator.integers(18, 80))
        city = generator.choice(["Oslo", "Lyon", "Ulm", ""])
        day = f"2024-{1 + number % 12:02}-{1 + number % 28:02}"
        rows.append(["" if number % 11 == 0 else age, city, bool(number % 3), day, "yes" if age > 45 else "no"])
    return written(["age", "city", "member", "on"], rows)


def written(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A CSV with a column `target` at the end."""
    text = io.StringIO()
    csv.writer(text).writerows([[*names, "target"], *rows])
    return text.getvalue().encode()


def pin_api() -> None:
    """Keep the API of the platform that this process started on its core."""
    for process in api_processes():
        process.cpu_affinity([SERVER_CORE])


def api_processes() -> list[psutil.Process]:
    """The API of the platform that this process started, with all that it started."""
    (first, *_) = [each for each in psutil.Process().children(recursive=True) if "api.server" in each.cmdline()]
    return [first, *first.children(recursive=True)]


def memory_of_api() -> float:
    """What the API takes, in MB; pages that several of its processes have in common count once."""
    return sum(process.memory_full_info().pss for process in api_processes()) / 2**20


if __name__ == "__main__":
    main()
