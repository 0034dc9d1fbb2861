"""Half an hour of jobs and predictions: does memory or the number of open files grow?

Jobs are trained one after another while predictions are asked for. Every now and then the memory and the descriptors of
each process of the platform are noted; the last quarter is compared with the second, when all was warm.
"""

import argparse
import os
import signal
import statistics
import threading
import time
from collections import defaultdict
from typing import NamedTuple

import httpx2
import psutil

from bench.measuring import platform, print_table

ROW = [5.1, 3.5, 1.4, 0.2]
TRAIN = {
    "dataset_name": "iris",
    "use_example": True,
    "model": {"module": "linear_model", "class": "LogisticRegression"},
}
PREDICT = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [ROW]}}


class Sample(NamedTuple):
    """One look at one process: megabytes of memory that are its own, and open descriptors."""

    megabytes: float
    files: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=20, help="seconds between two looks")
    arguments = parser.parse_args()
    looks: dict[str, list[Sample]] = defaultdict(list)
    with platform() as url:
        over = threading.Event()
        counts = [0, 0]
        clients = [
            threading.Thread(target=train, args=(url, over, counts)),
            threading.Thread(target=predict, args=(url, over, counts)),
        ]
        for client in clients:
            client.start()
        try:
            end = time.monotonic() + arguments.minutes * 60
            while time.monotonic() < end:
                time.sleep(arguments.every)
                for name, sample in look():
                    looks[name].append(sample)
        finally:
            over.set()
            for client in clients:
                client.join()
    print_table(f"{counts[0]} jobs and {counts[1]} predictions in {arguments.minutes:g} minutes", table(looks))


def table(looks: dict[str, list[Sample]]) -> list[list[str]]:
    """Medians of the second quarter, when all is warm, and of the last one."""
    rows = [["process", "memory before", "memory after", "files before", "files after"]]
    for name, samples in sorted(looks.items()):
        quarter = max(1, len(samples) // 4)
        before, after = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
        memory = [f"{statistics.median(each.megabytes for each in part):.0f} MB" for part in (before, after)]
        files = [f"{statistics.median(each.files for each in part):.0f}" for part in (before, after)]
        rows.append([name, *memory, *files])
    return rows


def look() -> list[tuple[str, Sample]]:
    """The parts of the platform that this process has started, but not the computing processes of single jobs."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if name := part_of(process):
                found.append((name, Sample(process.memory_full_info().uss / 1e6, process.num_fds())))
        except psutil.Error:
            continue
    return found


def part_of(process: psutil.Process) -> str:
    """What a process is; nothing for what is not watched."""
    line = " ".join(process.cmdline())
    for words, name in (
        ("api.server", "API"),
        ("shared.sandbox.server worker", "fork server"),
        ("shared.sandbox.server shared", "reader"),
        ("worker.flower", "Flower"),
        ("-m worker", "worker"),
        ("valkey", "Valkey"),
    ):
        if words in line:
            return name if "sandbox" not in words else ("guard of the " + name, name, "")[generation(process)]
    return ""


def generation(process: psutil.Process) -> int:
    """0 for the guard of a fork server, 1 for the server that it forked, 2 for all that this one forks."""
    older = [parent for parent in process.parents() if parent.cmdline() == process.cmdline()]
    return min(2, len(older))


def train(url: str, over: threading.Event, counts: list[int]) -> None:
    """One training after another, with pauses in which other work has a chance."""
    with httpx2.Client(base_url=url, timeout=90) as client:
        while not over.wait(0.5):
            job = client.post("/train", json=TRAIN).json()
            ended = client.get(f"/jobs/{job['job_id']}", params={"wait": 60}).json()
            if ended["status"] != "succeeded":
                os.kill(os.getpid(), signal.SIGTERM)
                raise SystemExit(f"the job ended as {ended}")
            counts[0] += 1


def predict(url: str, over: threading.Event, counts: list[int]) -> None:
    """One prediction after another, ten in a second."""
    with httpx2.Client(base_url=url, timeout=30) as client:
        while not over.wait(0.1):
            counts[1] += client.post("/predict", json=PREDICT).status_code == 200


if __name__ == "__main__":
    main()
