"""`/predict` for a single row, alone and beside everything that could keep it waiting, in one run.

Beside it are two uploads of 1 GiB each (as .gz), 40 previews at a time, a model of brute-force neighbours that is asked
for many rows, and 1,100 connections that have sent half a header. A constant route on the same server program, asked in
turns, shows what the processor alone has to do with it.
"""

import argparse
import gzip
import random
import resource
import socket
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from bench.load import load
from bench.measuring import milliseconds, platform, print_table
from bench.references import CONSTANT, reference
from bench.serving import CASES, IRIS_ROW, serve

PREDICT = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [IRIS_ROW]}}
COLUMNS = 10
NEIGHBOURS = {"module": "neighbors", "class": "KNeighborsClassifier", "params": {"algorithm": "brute"}}
# Some rows of these take a core for seconds, all of them for minutes.
SLOW_ROWS = 10_000
PREVIEWS, SLOW_CLIENTS, UPLOADS = 40, 4, 2
HALF_A_HEADER = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"
_MEMBER_BYTES = 16 * 2**20
_PAUSE_SECONDS = 0.2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load for each round and target")
    parser.add_argument("--rounds", type=int, default=4, help="for each target, alone and beside the rest")
    parser.add_argument("--megabytes", type=int, default=1024, help="size of each uploaded table in MiB")
    parser.add_argument("--sockets", type=int, default=1100, help="connections with half a header")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = [["beside", "target", "requests/s", "p50", "p99", "longest"]]
    counts: Counter[str] = Counter()
    with platform() as url, reference(CONSTANT) as constant, tempfile.TemporaryDirectory() as folder:
        serve(url, CASES[0])
        prepare(url, Path(folder), arguments.megabytes)
        rows += measure("nothing", url, constant, arguments.rounds, arguments.seconds)
        with crowd(url, Path(folder), arguments.sockets, counts):
            rows += measure("all of it", url, constant, arguments.rounds, arguments.seconds)
    print_table(f"One row, one connection, {arguments.rounds} rounds of {arguments.seconds:g} s in turns", rows)
    print_table("What the others were answered", [["what", "times"], *([k, str(v)] for k, v in sorted(counts.items()))])


def measure(beside: str, url: str, reference: str, rounds: int, seconds: float) -> list[list[str]]:
    """Two rows of the table: the platform and the constant route, in the same rounds."""
    measured: dict[str, list[float]] = {"/predict": [], "constant": []}
    for _ in range(rounds):
        for target, base in (("/predict", url), ("constant", reference)):
            measured[target] += load([base], "/predict", PREDICT, connections=1, seconds=seconds)
    rows = []
    for target, times in measured.items():
        p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        rate = f"{len(times) / rounds / seconds:.0f}"
        rows.append([beside, target, rate, *map(milliseconds, (p50, p99, max(times)))])
    return rows


def prepare(url: str, folder: Path, megabytes: int) -> None:
    """The file to upload, and a model that is slow."""
    generator = random.Random(0)  # noqa: S311 - the same table in every run, and no secret
    header = ",".join(f"c{number}" for number in range(COLUMNS)) + ",target\n"
    rows = [
        ",".join(f"{generator.gauss(0, 1):.6f}" for _ in range(COLUMNS)) + f",{generator.choice('xyz')}\n"
        for _ in range(20_000)
    ]
    block = "".join(rows[:1000]).encode()
    member = gzip.compress(block * (_MEMBER_BYTES // len(block)), 1)
    with (folder / "large.csv.gz").open("wb") as file:
        file.write(gzip.compress(header.encode()))
        for _ in range(megabytes * 2**20 // _MEMBER_BYTES):
            file.write(member)
    with httpx2.Client(base_url=url, timeout=120) as client:
        files = {"file": ("slow.csv", header.encode() + "".join(rows).encode())}
        client.post("/datasets/upload", files=files).raise_for_status()
        request = {"dataset_name": "slow", "model": NEIGHBOURS, "target_column": "target"}
        job = client.post("/train", json=request).raise_for_status().json()
        ended = client.get(f"/jobs/{job['job_id']}", params={"wait": 60}).json()
        if ended["status"] != "succeeded":
            raise SystemExit(f"the job ended as {ended}")


@contextmanager
def crowd(url: str, folder: Path, sockets: int, counts: Counter[str]) -> Iterator[None]:
    """All that goes on beside the measured requests; `counts` gets what it was answered."""
    over = threading.Event()
    slow = {
        "dataset_name": "slow",
        "environment": "dev",
        "input_data": {"features": [[0.5] * COLUMNS] * SLOW_ROWS},
    }

    def upload(client: httpx2.Client) -> httpx2.Response:
        with (folder / "large.csv.gz").open("rb") as file:
            name = {"name": f"large_{time.monotonic_ns()}"}
            return client.post("/datasets/upload", files={"file": ("large.csv.gz", file)}, data=name)

    def preview(client: httpx2.Client) -> httpx2.Response:
        return client.get("/datasets/slow/preview")

    def ask_slow(client: httpx2.Client) -> httpx2.Response:
        return client.post("/predict", json=slow)

    clients = [("upload", upload)] * UPLOADS + [("preview", preview)] * PREVIEWS + [("slow", ask_slow)] * SLOW_CLIENTS
    threads = [threading.Thread(target=repeat, args=(url, what, act, over, counts)) for what, act in clients]
    with ExitStack() as opened:
        for _ in range(sockets):
            half_open(opened, url, counts)
        for thread in threads:
            thread.start()
        # Until the uploads have come and are read, and the slow model is at work.
        time.sleep(5)
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


def half_open(opened: ExitStack, url: str, counts: Counter[str]) -> None:
    """One connection that has sent half a header; a server may refuse it."""
    host = urlsplit(url)
    try:
        connection = opened.enter_context(socket.create_connection((host.hostname or "", host.port or 0), timeout=5))
        connection.sendall(HALF_A_HEADER)
        counts["half a header: connected"] += 1
    except OSError:
        counts["half a header: refused"] += 1


def repeat(
    url: str,
    what: str,
    act: Callable[[httpx2.Client], httpx2.Response],
    over: threading.Event,
    counts: Counter[str],
) -> None:
    """One request after another until it is over; a refused one is followed by a short pause, shorter than asked."""
    with httpx2.Client(base_url=url, timeout=300) as client:
        while not over.is_set():
            try:
                answer = act(client)
                code = answer.json().get("code", "") if answer.status_code >= 400 else ""
                counts[f"{what}: {answer.status_code} {code}".strip()] += 1
            except httpx2.HTTPError as error:
                counts[f"{what}: {type(error).__name__}"] += 1
            over.wait(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
